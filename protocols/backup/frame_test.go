package backup_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/stream"
)

var millis = uint64(fixed.Created.UnixMilli())

func digest(first byte) envelope.Digest { return envelope.Digest(fixed.Array32(first)) }

// holders are n usable keys.
func holders(n int) []protocols.Key {
	keys := make([]protocols.Key, 0, n)
	for i := byte(0); len(keys) < n; i++ {
		keys = append(keys, fixed.Signer(protocols.Main, fixed.Bytes(0x80+i, 32)).Public())
	}
	return keys
}

func receipt() []byte {
	return ack.Sign(fixed.Recipient(), ack.Receipt{
		Kind: ack.Delivered, To: fixed.Author().Public(), Time: millis,
		Entries: []ack.Entry{{ID: envelope.ID(fixed.Bytes(1, 16)), Digest: [16]byte(fixed.Bytes(2, 16))}},
	})
}

func storage() []byte {
	return backup.SignStorage(fixed.Other(), backup.Storage{Digest: digest(3), End: millis + 86_400_000})
}

func admission() []byte {
	return backup.SignAdmission(fixed.Recipient(), backup.Admission{Sender: fixed.Author().Public(), Until: millis + 1})
}

type goldenFrame struct {
	Name  string     `json:"name"`
	N     uint64     `json:"n"`
	Frame golden.Hex `json:"frame"`
}

// questions are one of each form of frame.
func questions() map[string]backup.Frame {
	after := digest(9)
	held := make([]backup.Held, 2)
	for i := range held {
		held[i] = backup.Held{Digest: digest(byte(i)), End: millis}
	}
	return map[string]backup.Frame{
		"store, for a stranger":     &backup.Store{Envelope: fixed.Bytes(0, 300), Holders: []protocols.Key{}},
		"store, with all there is":  &backup.Store{Envelope: fixed.Bytes(0, 40), Holders: holders(backup.MaxHolders), Admission: admission()},
		"fetch, the first page":     &backup.Fetch{},
		"fetch, a page after":       &backup.Fetch{After: &after},
		"audit":                     &backup.Audit{Digest: digest(4), Nonce: backup.Nonce(fixed.Array32(5))},
		"drop":                      &backup.Drop{Receipt: receipt()},
		"offer of nothing":          &backup.Offer{Held: []backup.Held{}},
		"offer of two":              &backup.Offer{Held: held},
		"holders, three":            &backup.Holders{Digest: digest(6), Holders: holders(3)},
		"holders, as many as go in": &backup.Holders{Digest: digest(6), Holders: holders(backup.MaxHolders)},
	}
}

func names[T any](m map[string]T) []string {
	var all []string
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	all := questions()
	var made []goldenFrame
	for i, name := range names(all) {
		n := backup.Number(i * 100)
		made = append(made, goldenFrame{name, uint64(n), all[name].Append(nil, n)})
	}
	for _, g := range golden.Check(t, "frames.json", made) {
		n, f, err := backup.ParseFrame(g.Frame)
		if err != nil || uint64(n) != g.N || !reflect.DeepEqual(f, all[g.Name]) {
			t.Errorf("%s: %d, %+v, %v", g.Name, n, f, err)
		}
	}
}

// answers are one of each form of answer.
func answers() map[string]*backup.Answer {
	hash := backup.Proof(backup.Nonce(fixed.Array32(5)), fixed.Bytes(0, 40))
	return map[string]*backup.Answer{
		"stored":              {Code: backup.Stored, Storage: storage()},
		"busy":                {Code: backup.Busy, RetryMillis: 60_000},
		"refused, quota":      {Code: backup.Refused, Reason: envelope.ReasonQuota},
		"refused, clock":      {Code: backup.Refused, Reason: envelope.ReasonClock, Value: millis},
		"envelopes, none":     {Code: backup.Envelopes},
		"envelopes, and more": {Code: backup.Envelopes, Envelopes: [][]byte{fixed.Bytes(1, 30), fixed.Bytes(2, 300)}, More: true},
		"hash":                {Code: backup.Hash, Hash: &hash},
		"hash, not held":      {Code: backup.Hash},
		"wanted, none":        {Code: backup.Wanted},
		"wanted":              {Code: backup.Wanted, Wanted: []envelope.Digest{digest(1), digest(2)}},
		"gone":                {Code: backup.Gone, Receipts: [][]byte{receipt()}},
		"done":                {Code: backup.Done},
	}
}

func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	all := answers()
	var made []goldenFrame
	for i, name := range names(all) {
		n := backup.Number(i * 100)
		made = append(made, goldenFrame{name, uint64(n), all[name].Append(nil, n)})
	}
	for _, g := range golden.Check(t, "answers.json", made) {
		n, a, err := backup.ParseAnswer(g.Frame)
		if err != nil || uint64(n) != g.N || !reflect.DeepEqual(a, all[g.Name]) {
			t.Errorf("%s: %d, %+v, %v", g.Name, n, a, err)
		}
	}
}

func array(elements ...any) []byte {
	b := msgp.AppendArrayHeader(nil, uint32(len(elements)))
	for _, e := range elements {
		switch e := e.(type) {
		case []any:
			b = append(b, array(e...)...)
		case int:
			b = msgp.AppendUint64(b, uint64(e))
		default:
			b, _ = msgp.AppendIntf(b, e)
		}
	}
	return b
}

func many(n int, element any) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = element
	}
	return all
}

func TestExtraElementsAreIgnored(t *testing.T) {
	t.Parallel()
	d, nonce := digest(1), fixed.Array32(2)
	n, f, err := backup.ParseFrame(array(3, 7, d[:], nonce[:], "later", []any{1}))
	if want := (&backup.Audit{Digest: d, Nonce: nonce}); err != nil || n != 7 || !reflect.DeepEqual(f, want) {
		t.Errorf("%d, %+v, %v", n, f, err)
	}
	if n, a, err := backup.ParseAnswer(array(7, 9, nil, "later")); err != nil || n != 7 || a.Code != backup.Done {
		t.Errorf("%d, %+v, %v", n, a, err)
	}
}

func TestAFrameOfALaterVersionIsPassedOver(t *testing.T) {
	t.Parallel()
	if _, _, err := backup.ParseFrame(array(7, 1)); !errors.Is(err, protocols.ErrFrameType) {
		t.Error(err)
	}
}

func TestHostileFramesAreRefused(t *testing.T) {
	t.Parallel()
	d, key, small := digest(1), fixed.Other().Public(), make([]byte, 32)
	for name, b := range map[string][]byte{
		"empty":                    nil,
		"no array":                 {0x01},
		"no type":                  array(),
		"too short":                array(3, 1, d[:]),
		"a byte behind the end":    append(array(4, 1, []byte{1}), 0),
		"a digest too short":       array(3, 1, d[:31], d[:]),
		"an envelope too long":     array(1, 1, make([]byte, envelope.MaxSize+1), []any{}, nil),
		"an admission too long":    array(1, 1, []byte{1}, []any{}, make([]byte, backup.AdmissionSize+1)),
		"nine holders":             array(6, 1, d[:], many(backup.MaxHolders+1, key[:])),
		"a holder twice":           array(6, 1, d[:], many(2, key[:])),
		"a holder of small order":  array(6, 1, d[:], many(1, small)),
		"a receipt too long":       array(4, 1, make([]byte, ack.MaxReceipt+1)),
		"an offer too long":        array(5, 1, many(backup.MaxOffer+1, []any{d[:], 1})),
		"an end out of bounds":     array(5, 1, []any{[]any{d[:], 1 << 48}}),
		"a page after half of one": array(2, 1, d[:16]),
		"a claimed length":         {0x93, 0x04, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"a claimed offer":          {0x93, 0x05, 0x01, 0xdd, 0xff, 0xff, 0xff, 0xff},
	} {
		if n, f, err := backup.ParseFrame(b); !errors.Is(err, backup.ErrFrame) {
			t.Errorf("%s: %d, %+v, %v", name, n, f, err)
		}
	}
}

func TestHostileAnswersAreRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"empty":                    nil,
		"too short":                array(1, 9),
		"a code of hop answers":    array(1, 1, nil),
		"a code that is not known": array(1, 10, nil),
		"a storage receipt's size": array(1, 2, make([]byte, backup.StorageSize+1)),
		"a hash too short":         array(1, 6, make([]byte, 31)),
		"a digest too short":       array(1, 7, []any{make([]byte, 31)}),
		"too much wanted":          array(1, 7, many(backup.MaxOffer+1, make([]byte, 32))),
		"too much gone":            array(1, 8, many(backup.MaxGone+1, []byte{1})),
		"a receipt too long":       array(1, 8, []any{make([]byte, ack.MaxReceipt+1)}),
		"an envelope too long":     array(1, 5, []any{[]any{make([]byte, envelope.MaxSize+1)}, true}),
		"envelopes without more":   array(1, 5, []any{[]any{}}),
		"a refusal with no value":  array(1, 4, []any{2}),
		"done with a gift":         array(1, 9, 1),
		"claimed envelopes":        {0x93, 0x01, 0x05, 0x92, 0xdd, 0xff, 0xff, 0xff, 0xff},
	} {
		if n, a, err := backup.ParseAnswer(b); !errors.Is(err, backup.ErrAnswer) {
			t.Errorf("%s: %d, %+v, %v", name, n, a, err)
		}
	}
}

func TestTheLargestFramesFit(t *testing.T) {
	t.Parallel()
	largest := []backup.Frame{
		&backup.Store{Envelope: make([]byte, envelope.MaxSize), Holders: holders(backup.MaxHolders), Admission: admission()},
		&backup.Offer{Held: slices.Repeat([]backup.Held{{Digest: digest(0), End: 1<<48 - 1}}, backup.MaxOffer)},
	}
	for _, f := range largest {
		b := f.Append(nil, 1<<64-1)
		if _, _, err := backup.ParseFrame(b); err != nil || len(b) > stream.MaxFrame {
			t.Errorf("%T: %d bytes, %v", f, len(b), err)
		}
	}
	gone := &backup.Answer{Code: backup.Gone, Receipts: slices.Repeat([][]byte{make([]byte, ack.MaxReceipt)}, backup.MaxGone)}
	if b := gone.Append(nil, 1<<64-1); len(b) > stream.MaxFrame {
		t.Errorf("gone: %d bytes", len(b))
	}
}

func FuzzParseFrame(f *testing.F) {
	for _, q := range questions() {
		f.Add(q.Append(nil, 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, q, err := backup.ParseFrame(b)
		if err != nil {
			return
		}
		m, again, err := backup.ParseFrame(q.Append(nil, n))
		if err != nil || m != n || !reflect.DeepEqual(again, q) {
			t.Errorf("%+v read again is %+v, %v", q, again, err)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	for _, a := range answers() {
		f.Add(a.Append(nil, 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, a, err := backup.ParseAnswer(b)
		if err != nil {
			return
		}
		m, again, err := backup.ParseAnswer(a.Append(nil, n))
		if err != nil || m != n || !bytes.Equal(again.Append(nil, m), a.Append(nil, n)) {
			t.Errorf("%+v read again is %+v, %v", a, again, err)
		}
	})
}
