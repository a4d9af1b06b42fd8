package envelope

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

type goldenAnswer struct {
	Name    string     `json:"name"`
	Digest  golden.Hex `json:"digest"`
	Code    Code       `json:"code"`
	Retry   uint64     `json:"retry_millis"`
	Reason  Reason     `json:"reason"`
	Value   uint64     `json:"value"`
	Storage golden.Hex `json:"storage"`
	Answer  golden.Hex `json:"answer"`
}

func (g goldenAnswer) answer() Answer {
	return Answer{
		Digest: [16]byte(g.Digest), Code: g.Code, RetryMillis: g.Retry,
		Reason: g.Reason, Value: g.Value, Storage: g.Storage,
	}
}

func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	digest := fixed.Bytes(1, 16)
	made := []goldenAnswer{
		{Name: "taken", Digest: digest, Code: Taken},
		{Name: "stored", Digest: digest, Code: Stored, Storage: fixed.Bytes(9, 40)},
		{Name: "busy", Digest: digest, Code: Busy, Retry: 1500},
		{Name: "clock", Digest: digest, Code: Refused, Reason: ReasonClock, Value: uint64(fixed.Created.UnixMilli())},
		{Name: "quota", Digest: digest, Code: Refused, Reason: ReasonQuota},
		{Name: "a reason of tomorrow", Digest: digest, Code: Refused, Reason: 99, Value: 1},
	}
	for i := range made {
		made[i].Answer = made[i].answer().Append(nil)
	}
	for _, g := range golden.Check(t, "answers.json", made) {
		a, err := ParseAnswer(g.Answer)
		if want := g.answer(); err != nil || !reflect.DeepEqual(a, want) && !bytes.Equal(a.Append(nil), want.Append(nil)) {
			t.Errorf("%s: %+v, %v", g.Name, a, err)
		}
		for n := range g.Answer {
			if _, err := ParseAnswer(g.Answer[:n]); !errors.Is(err, ErrAnswer) {
				t.Errorf("%s: %d bytes of it: %v", g.Name, n, err)
			}
		}
	}
}

func TestHostileAnswersAreRefused(t *testing.T) {
	t.Parallel()
	head := append([]byte{0x93, 0xc4, 16}, make([]byte, 16)...)
	answer := func(rest ...byte) []byte { return append(bytes.Clone(head), rest...) }
	for name, b := range map[string][]byte{
		"code 0":                  answer(0, 0xc0),
		"code 5":                  answer(5, 0xc0),
		"code as text":            answer(0xa1, '1', 0xc0),
		"taken with an argument":  answer(1, 7),
		"stored without receipt":  answer(2, 0xc0),
		"busy without time":       answer(3, 0xc0),
		"busy, negative":          answer(3, 0xff),
		"refused without reason":  answer(4, 0xc0),
		"refused, one element":    answer(4, 0x91, 1),
		"a byte behind the end":   answer(1, 0xc0, 0),
		"two elements":            {0x92, 0xc4, 0, 1},
		"digest of 15 bytes":      append([]byte{0x93, 0xc4, 15}, append(make([]byte, 15), 1, 0xc0)...),
		"longer than any answer":  append(answer(2, 0xc5, 4, 0), make([]byte, 1024)...),
		"receipt that claims 4GB": answer(2, 0xc6, 0xff, 0xff, 0xff, 0xff),
	} {
		if _, err := ParseAnswer(b); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, err := ParseAnswer(append([]byte{0x94}, answer(1, 0xc0, 7)[1:]...)); err != nil || a.Code != Taken {
		t.Errorf("an extra element: %+v, %v", a, err)
	}
	if a, err := ParseAnswer(answer(4, 0x92, 0xcd, 1, 0, 0)); err != nil || a.Reason.String() != "unknown" {
		t.Errorf("reason 256: %+v, %v", a, err)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	t.Parallel()
	if got := ReasonSize.String(); got != "size" {
		t.Errorf("size is %q", got)
	}
	if got := ReasonClock.String(); got != "clock" {
		t.Errorf("clock is %q", got)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(Answer{Code: Taken}.Append(nil))
	f.Add(Answer{Code: Stored, Storage: []byte{1}}.Append(nil))
	f.Add(Answer{Code: Busy, RetryMillis: 1 << 40}.Append(nil))
	f.Add(Answer{Code: Refused, Reason: ReasonClock, Value: 1 << 40}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAnswer(b)
		if err != nil {
			return
		}
		again, err := ParseAnswer(a.Append(nil))
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("%+v became %+v, %v", a, again, err)
		}
	})
}
