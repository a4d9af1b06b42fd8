package hostile

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// wall is a wall clock that a test can set ahead.
type wall struct{ ahead atomic.Int64 }

func (w *wall) now() time.Time          { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *wall) set(ahead time.Duration) { w.ahead.Store(int64(ahead)) }

// countAll is how many messages have a text, whoever sent them.
func (l *living) countAll(text string) (n int) {
	l.t.Helper()
	for _, r := range l.inbox() {
		if string(r.Body) == text {
			n++
		}
	}
	return n
}

func TestReplayIsReceiptedAgainAndNotReceivedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	carol := newVillain(t)
	bob := run(t, node.Config{DataDir: dir})
	e := carol.signed(t, carol.greet(bob.Link(), carol.hello()), "once")
	p := carol.envelopes(bob.Link())
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Taken, 0)
	carol.receipts()
	before := bob.view()

	// Somebody else has captured it.
	v := newVillain(t)
	replay := func() {
		t.Helper()
		p := v.envelopes(bob.Link())
		for range 50 {
			p.send(e.Append(nil))
			p.wantAnswer(e, envelope.Taken, 0)
		}
	}
	replay()
	bob.unchanged(before)
	if n := bob.counter("tom_duplicates_total"); n != 50 {
		t.Errorf("%v duplicates were counted, want 50", n)
	}
	if _, got := carol.receipts(); got[0].To != carol.Public() || got[0].Entries[0] != entry(e.ID, e.Digest()) {
		t.Errorf("the author was not sent its receipt again: %+v", got)
	}

	v.leave(bob)
	bob.stop()
	bob = run(t, node.Config{DataDir: dir})
	before = bob.view()
	replay()
	bob.unchanged(before)
	if n := bob.countAll("once"); n != 1 {
		t.Errorf("after a restart the message is there %d times", n)
	}
}

func TestReplayFromYesterdayIsRefusedByTheClock(t *testing.T) {
	t.Parallel()
	var clock wall
	dir := t.TempDir()
	cfg := node.Config{DataDir: dir, Now: clock.now}
	bob, v := run(t, cfg), newVillain(t)
	e := v.signed(t, v.greet(bob.Link(), v.hello()), "yesterday")
	p := v.envelopes(bob.Link())
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Taken, 0)

	replay := func(e *envelope.Envelope) {
		t.Helper()
		before := bob.view()
		p := v.envelopes(bob.Link())
		p.send(e.Append(nil))
		a := p.answer(e)
		if a.Code != envelope.Refused || a.Reason != envelope.ReasonClock {
			t.Fatalf("answered %+v, want refused for the clock", a)
		}
		theirs := time.UnixMilli(int64(a.Value))
		if off := theirs.Sub(clock.now()).Abs(); off > time.Minute {
			t.Errorf("it says its clock is at %v, which is %v off", theirs, off)
		}
		bob.unchanged(before)
	}
	clock.set(24*time.Hour + time.Second) // the window entry still lives
	if rows := bob.inbox(); len(rows) != 0 {
		t.Fatalf("after its end it is listed: %+v", rows)
	}
	replay(e)
	clock.set(26 * time.Hour) // and now it does not
	replay(e)
	v.leave(bob)
	bob.stop()
	bob = run(t, cfg)
	replay(e)
	if bob.counter("tom_refused_total", "clock") != 1 {
		t.Error("the refusal was not counted")
	}
	if n := bob.countAll("yesterday"); n != 0 {
		t.Errorf("it is there %d times", n)
	}

	// A clock set back does not open the door again.
	v.leave(bob)
	bob.stop()
	clock.set(0)
	bob = run(t, cfg)
	p = v.envelopes(bob.Link())
	p.send(e.Append(nil))
	p.wantAnswer(e, envelope.Refused, envelope.ReasonClock)
}

func TestEnvelopeFromTheFutureIsRefusedByTheClock(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	p := v.envelopes(s.bob.Link())
	before := s.bob.view()
	for _, ahead := range []time.Duration{6 * time.Minute, 23 * time.Hour, 300 * 24 * time.Hour} {
		e := v.draft(t, to, envelope.NewID(time.Now()), time.Now().Add(ahead), "tomorrow's news")
		envelope.Sign(v.Signer, []*envelope.Envelope{e})
		p.send(e.Append(nil))
		p.wantAnswer(e, envelope.Refused, envelope.ReasonClock)
	}
	s.bob.unchanged(before)
	s.honest()
}
