package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// fields takes an encoded envelope's array apart.
func fields(t *testing.T, e *envelope.Envelope) [][]byte {
	t.Helper()
	n, b, err := msgp.ReadArrayHeaderBytes(e.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]byte, n)
	for i := range all {
		left, err := msgp.Skip(b)
		if err != nil {
			t.Fatal(err)
		}
		all[i], b = b[:len(b)-len(left)], left
	}
	return all
}

func array(fields [][]byte) []byte {
	return slices.Concat(msgp.AppendArrayHeader(nil, uint32(len(fields))), slices.Concat(fields...))
}

// flip returns a copy of b with one bit changed.
func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// with returns the frame of e with one field replaced.
func with(t *testing.T, e *envelope.Envelope, field int, value []byte) []byte {
	t.Helper()
	all := fields(t, e)
	all[field] = value
	return array(all)
}

func key(k protocols.Key) []byte { return msgp.AppendBytes(nil, k[:]) }

// refusedFrames sends each frame on a stream of its own and wants it reset
// without an answer, and the node unchanged.
func (s *scene) refusedFrames(frames map[string][]byte) {
	s.t.Helper()
	before := s.bob.view()
	for name, frame := range frames {
		v := newVillain(s.t)
		p := v.envelopes(s.bob.Link())
		p.send(frame)
		p.t = s.t
		s.t.Logf("%s", name)
		p.wantReset()
		_ = v.host.Close()
	}
	s.bob.unchanged(before)
	if got := s.bob.counter("tom_rejected_total"); got != float64(len(frames)) {
		s.t.Errorf("%v frames were counted, want %d", got, len(frames))
	}
	s.honest()
}

func TestEnvelopeWithAnAlteredFieldIsDropped(t *testing.T) {
	s := newScene(t, node.Config{})
	carol := newVillain(t)
	to := carol.greet(s.bob.Link(), carol.hello())
	e := carol.signed(t, to, "what carol wrote")
	parts := fields(t, e)

	frames := map[string][]byte{
		"version 2":          with(t, e, 0, []byte{2}),
		"lifetime shorter":   with(t, e, 5, msgp.AppendUint32(nil, 3600)),
		"lifetime too long":  with(t, e, 5, msgp.AppendUint32(nil, 86_401)),
		"created later":      with(t, e, 4, msgp.AppendUint64(nil, e.Created+1)),
		"created last year":  with(t, e, 4, msgp.AppendUint64(nil, e.Created-365*86_400_000)),
		"from alice":         with(t, e, 2, key(s.alice.Key())),
		"from bob himself":   with(t, e, 2, key(s.bob.Key())),
		"from a weak key":    with(t, e, 2, key(protocols.Key{1})),
		"to alice":           with(t, e, 3, key(s.alice.Key())),
		"another suite":      with(t, e, 6, flip(parts[6], 2)),
		"another prekey":     with(t, e, 6, flip(parts[6], 3)),
		"another ephemeral":  with(t, e, 6, flip(parts[6], 20)),
		"a field short":      array(parts[:10]),
		"proof empty":        with(t, e, 8, msgp.AppendBytes(nil, nil)),
		"proof of kind 2":    with(t, e, 8, flip(flip(parts[8], 2), 2)[:len(parts[8])-1]),
		"nothing":            {},
		"not an array":       {0xc0},
		"an array of bombs":  bytes.Repeat([]byte{0x9f}, 4096),
		"a map":              {0x8f},
		"lengths that lie":   {0x9b, 1, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"relays twice":       with(t, e, 9, slices.Concat([]byte{0x92}, key(s.alice.Key()), key(s.alice.Key()))),
		"five relays":        with(t, e, 9, slices.Concat([]byte{0x95}, bytes.Repeat(key(s.alice.Key()), 5))),
		"a larger id header": with(t, e, 1, slices.Concat([]byte{0xc5, 0, 16}, parts[1][2:])),
	}
	for i, at := range map[int]int{1: 5, 2: 9, 3: 9, 4: 3, 7: 40, 8: 30} {
		frames[fmt.Sprintf("a bit of field %d", i)] = with(t, e, i, flip(parts[i], at))
	}
	frames["the nonce"] = with(t, e, 7, flip(parts[7], 5))
	frames["the last byte"] = with(t, e, 7, flip(parts[7], len(parts[7])-1))
	s.refusedFrames(frames)

	// What is outside the signature may change on the way: the message is the
	// same, and comes once.
	p := carol.envelopes(s.bob.Link())
	e.Via, e.Hops = []protocols.Key{s.alice.Key()}, 3
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Taken, 0)
	e.Via, e.Hops = nil, 0
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Taken, 0)
	if n := s.bob.count(carol.Public(), "what carol wrote"); n != 1 {
		t.Errorf("carol's message is there %d times", n)
	}
}

func TestCorruptedBatchProofUnderAKnownRootIsDropped(t *testing.T) {
	s := newScene(t, node.Config{})
	carol := newVillain(t)
	to := carol.greet(s.bob.Link(), carol.hello())
	batch := make([]*envelope.Envelope, 8)
	for i := range batch {
		batch[i] = carol.message(t, to, fmt.Sprintf("batch %d", i))
	}
	envelope.Sign(carol.Signer, batch)
	p := carol.envelopes(s.bob.Link())
	for _, e := range batch[:4] { // now the root is known
		p.send(e.Append(nil))
		p.wantAnswer(e, envelope.Taken, 0)
	}
	e, next := batch[4], batch[5]
	forged := carol.draft(t, to, e.ID, time.Now(), "not what was signed")
	forged.Proof = e.Proof
	const signature, index, path = 1 + 2, 1 + 2 + 64, 1 + 2 + 64 + 2
	proof := func(change func(p []byte) []byte) []byte {
		return with(t, e, 8, msgp.AppendBytes(nil, change(bytes.Clone(e.Proof))))
	}
	flipped := func(at int) []byte { return proof(func(p []byte) []byte { p[at] ^= 1; return p }) }
	s.refusedFrames(map[string][]byte{
		"path":               flipped(path),
		"path's end":         flipped(len(e.Proof) - 1),
		"signature":          flipped(signature),
		"index of another":   flipped(index + 1),
		"index out of range": proof(func(p []byte) []byte { binary.BigEndian.PutUint16(p[index:], 8); return p }),
		"size of another":    proof(func(p []byte) []byte { binary.BigEndian.PutUint16(p[1:], 7); return p }),
		"size zero":          proof(func(p []byte) []byte { binary.BigEndian.PutUint16(p[1:], 0); return p }),
		"size too large":     proof(func(p []byte) []byte { binary.BigEndian.PutUint16(p[1:], 1025); return p }),
		"path too short":     proof(func(p []byte) []byte { return p[:len(p)-32] }),
		"path too long":      proof(func(p []byte) []byte { return append(p, p[len(p)-32:]...) }),
		"proof of another":   with(t, e, 8, msgp.AppendBytes(nil, next.Proof)),
		"author":             with(t, e, 2, key(s.alice.Key())),
		"body":               forged.Append(nil),
	})
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Taken, 0)
}

func TestNobodyCanSpeakForAnother(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	claim := func(from protocols.Key) *envelope.Envelope {
		other := *v.author
		other.sealer = envelope.NewSealer(from, time.Now)
		return other.message(t, to, "I am another")
	}
	frames := make(map[string][]byte)
	for name, from := range map[string]protocols.Key{
		"alice": s.alice.Key(), "bob": s.bob.Key(), "a key nobody has": newAuthor(t).Public(),
	} {
		e := claim(from)
		envelope.Sign(v.Signer, []*envelope.Envelope{e})
		frames[name] = e.Append(nil)
	}
	own, foreign := v.message(t, to, "mine"), claim(s.alice.Key())
	envelope.Sign(v.Signer, []*envelope.Envelope{own, foreign})
	frames["alice, in a batch of the villain's"] = foreign.Append(nil)
	elsewhere := v.message(t, to, "on another network")
	envelope.Sign(v.me.Signer("elsewhere"), []*envelope.Envelope{elsewhere})
	frames["signed for another network"] = elsewhere.Append(nil)
	s.refusedFrames(frames)
}

func TestOneIDHasOneBody(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	id := envelope.NewID(time.Now())
	first, second := v.draft(t, to, id, time.Now(), "first"), v.draft(t, to, id, time.Now(), "second")
	envelope.Sign(v.Signer, []*envelope.Envelope{first})
	envelope.Sign(v.Signer, []*envelope.Envelope{second})
	p := v.envelopes(s.bob.Link())
	p.send(first.Append(nil))
	p.wantAnswer(first, envelope.Taken, 0)
	_, got := v.receipts()
	if len(got) != 1 || len(got[0].Entries) != 1 || got[0].Entries[0] != entry(id, first.Digest()) {
		t.Fatalf("receipts %+v", got)
	}
	before := s.bob.view()
	for range 3 {
		p.send(second.Append(nil))
		p.wantAnswer(second, envelope.Refused, envelope.ReasonConflict)
	}
	s.bob.unchanged(before)

	// An id of somebody else's is nothing special under one's own name.
	theirs := s.bob.inbox()[0]
	mine := v.draft(t, to, theirs.ID, time.Now(), "with alice's id")
	envelope.Sign(v.Signer, []*envelope.Envelope{mine})
	p.send(mine.Append(nil))
	p.wantAnswer(mine, envelope.Taken, 0)
	if again := s.bob.inbox()[0]; again.From != theirs.From || !bytes.Equal(again.Body, theirs.Body) {
		t.Errorf("alice's message was %+v and is %+v", theirs, again)
	}
	for drained := false; !drained; { // nothing of what came was a receipt for the second
		select {
		case frame := <-v.acks:
			if d := second.Digest().Short(); bytes.Contains(frame, d[:]) {
				t.Error("the second body was receipted")
			}
		default:
			drained = true
		}
	}
	s.honest()
}

func TestTwoBodiesUnderOneIDAtOnce(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	p := v.envelopes(s.bob.Link())
	for i := range 20 {
		id := envelope.NewID(time.Now())
		pair := []*envelope.Envelope{v.draft(t, to, id, time.Now(), "one"), v.draft(t, to, id, time.Now(), "other")}
		envelope.Sign(v.Signer, pair)
		p.send(pair[0].Append(nil), pair[1].Append(nil))
		answers := make(map[[16]byte]envelope.Answer)
		for range pair {
			a, err := envelope.ParseAnswer(p.read())
			if err != nil {
				t.Fatal(err)
			}
			answers[a.Digest] = a
		}
		one, other := answers[pair[0].Digest().Short()], answers[pair[1].Digest().Short()]
		if one.Code != envelope.Taken || other.Code != envelope.Refused || other.Reason != envelope.ReasonConflict {
			t.Fatalf("round %d: answers %+v and %+v; want the first taken, the second refused as a conflict", i, one, other)
		}
	}
	if n := len(s.bob.inbox()); n != 21 {
		t.Errorf("%d rows, want 21", n)
	}
	s.honest()
}
