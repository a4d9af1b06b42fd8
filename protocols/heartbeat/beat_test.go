package heartbeat_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

type goldenBeat struct {
	Name    string     `json:"case"`
	Counter uint64     `json:"counter"`
	Load    uint8      `json:"load"`
	Time    uint64     `json:"time"`
	Beat    golden.Hex `json:"beat"`
	Answer  golden.Hex `json:"answer"` // at the same time
}

func goldenBeatOf(name string, b heartbeat.Beat) goldenBeat {
	a := heartbeat.BeatAnswer{Counter: b.Counter, Time: b.Time}
	return goldenBeat{
		Name: name, Counter: b.Counter, Load: b.Load, Time: b.Time,
		Beat: b.Append(nil), Answer: a.Append(nil),
	}
}

func TestGoldenBeats(t *testing.T) {
	t.Parallel()
	created := uint64(fixed.Created.UnixMilli())
	for _, g := range golden.Check(t, "beats.json", []goldenBeat{
		goldenBeatOf("first", heartbeat.Beat{Counter: 1, Load: 0, Time: created}),
		goldenBeatOf("largest", heartbeat.Beat{Counter: 1<<64 - 1, Load: 255, Time: 1<<64 - 1}),
		goldenBeatOf("zeros", heartbeat.Beat{}),
	}) {
		b, err := heartbeat.ParseBeat(g.Beat)
		if err != nil || b != (heartbeat.Beat{Counter: g.Counter, Load: g.Load, Time: g.Time}) {
			t.Errorf("%s: %+v, %v", g.Name, b, err)
		}
		a, err := heartbeat.ParseBeatAnswer(g.Answer)
		if err != nil || a != (heartbeat.BeatAnswer{Counter: g.Counter, Time: g.Time}) {
			t.Errorf("%s: %+v, %v", g.Name, a, err)
		}
		for n := range g.Beat {
			if _, err := heartbeat.ParseBeat(g.Beat[:n]); err == nil {
				t.Errorf("%s: %d bytes of the beat parse", g.Name, n)
			}
		}
		for n := range g.Answer {
			if _, err := heartbeat.ParseBeatAnswer(g.Answer[:n]); err == nil {
				t.Errorf("%s: %d bytes of the answer parse", g.Name, n)
			}
		}
	}
}

func TestExtraElementsOfABeatAreIgnored(t *testing.T) {
	t.Parallel()
	want := heartbeat.Beat{Counter: 7, Load: 8, Time: 9}
	b := slices.Concat([]byte{0x95}, want.Append(nil)[1:], []byte{0xa1, 'x'})
	if got, err := heartbeat.ParseBeat(b); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLoadBeyondTheMostIsTheMost(t *testing.T) {
	t.Parallel()
	b := msgp.AppendUint64([]byte{0x94, 2, 7}, 1000)
	b = append(b, 9)
	if got, err := heartbeat.ParseBeat(b); err != nil || got.Load != 255 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsNoBeat(t *testing.T) {
	t.Parallel()
	beat := heartbeat.Beat{Counter: 1, Load: 2, Time: 3}.Append(nil)
	answer := heartbeat.BeatAnswer{Counter: 1, Time: 3}.Append(nil)
	long := append(slices.Concat([]byte{0x95}, beat[1:]), msgp.AppendBytes(nil, make([]byte, heartbeat.MaxBeat))...)
	for name, c := range map[string]struct {
		frame []byte
		want  error
	}{
		"an answer":         {answer, protocols.ErrFrameType},
		"a hello":           {full().Append(nil), protocols.ErrFrameType},
		"too long":          {long, heartbeat.ErrBeat},
		"bytes behind it":   {append(slices.Clone(beat), 0), heartbeat.ErrBeat},
		"too few elements":  {[]byte{0x93, 2, 1, 2}, heartbeat.ErrBeat},
		"a text for a load": {[]byte{0x94, 2, 1, 0xa1, 'x', 3}, heartbeat.ErrBeat},
		"a negative time":   {[]byte{0x94, 2, 1, 2, 0xff}, heartbeat.ErrBeat},
		"an empty array":    {[]byte{0x90}, heartbeat.ErrBeat},
		"nothing":           {nil, heartbeat.ErrBeat},
	} {
		if _, err := heartbeat.ParseBeat(c.frame); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := heartbeat.ParseBeatAnswer(beat); !errors.Is(err, protocols.ErrFrameType) {
		t.Errorf("a beat for an answer: %v", err)
	}
}

func FuzzBeats(f *testing.F) {
	f.Add(heartbeat.Beat{Counter: 1, Load: 2, Time: 3}.Append(nil))
	f.Add(heartbeat.BeatAnswer{Counter: 1, Time: 3}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if beat, err := heartbeat.ParseBeat(b); err == nil {
			again, err := heartbeat.ParseBeat(beat.Append(nil))
			if err != nil || again != beat {
				t.Errorf("%+v comes back as %+v, %v", beat, again, err)
			}
		}
		if answer, err := heartbeat.ParseBeatAnswer(b); err == nil {
			again, err := heartbeat.ParseBeatAnswer(answer.Append(nil))
			if err != nil || again != answer {
				t.Errorf("%+v comes back as %+v, %v", answer, again, err)
			}
		}
	})
}
