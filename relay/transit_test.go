package relay

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/fair"
	"github.com/tom-protocol/tom/relay/role"
)

func TestRelayPassesOnAndAnswersWithTheOutcome(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		join(b, r)
		a.send(r, a.write(b, 100, r))
		w.pass(5 * way)
		a.wantAnswers(taken)
		if len(b.got) != 1 || len(b.got[0].Via) != 0 || b.got[0].Hops != 1 {
			t.Fatalf("bob has %+v", b.got)
		}
		if why := r.Why(a.key()); why.Served == 0 {
			t.Errorf("nothing is noted: %+v", why)
		}
	})
}

func TestChainOfFourRelaysPassesOn(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, rs := w.settle('a'), w.settle('b'), w.relays("rstu")
		join(a, rs[0])
		for i := range 3 {
			join(rs[i], rs[i+1])
		}
		join(rs[3], b)
		a.send(rs[0], a.write(b, 100, rs...))
		w.pass(20 * way)
		a.wantAnswers(taken)
		if len(b.got) != 1 || b.got[0].Hops != 4 || w.made != 5 {
			t.Fatalf("bob has %+v; %d frames", b.got, w.made)
		}
	})
}

// An answer finds back along the way that the question came, though nobody but
// the relays in between knows it.
func TestAnswerFindsTheWayBack(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, rs := w.settle('a'), w.settle('b'), w.relays("rstu")
		join(a, rs[0])
		for i := range 3 {
			join(rs[i], rs[i+1])
		}
		join(rs[3], b)
		b.send(rs[3], b.write(a, 100, rs[3]))
		w.pass(20 * way)
		b.wantAnswers(noRoute)
		a.send(rs[0], a.write(b, 100, rs...))
		w.pass(20 * way)
		b.send(rs[3], b.write(a, 100, rs[3]))
		w.pass(20 * way)
		b.wantAnswers(noRoute, taken)
		if len(a.got) != 1 || a.got[0].Hops != 4 {
			t.Fatalf("alice has %+v", a.got)
		}
	})
}

// Who replays a peer's envelopes to become its way back, and then drops what
// comes, has it once.
func TestFalseWayBackIsForgotten(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, m, r := w.settle('a'), w.settle('b'), w.settle('m'), w.relay('r')
		for _, f := range []*folk{b, m} {
			join(f, r)
		}
		m.silentMood()
		r.known[a.key()] = true
		m.send(r, a.write(b, 100, r))
		w.pass(5 * way)
		b.send(r, b.write(a, 100, r))
		w.pass(3 * time.Second)
		b.wantAnswers(noRoute)
		b.send(r, b.write(a, 100, r))
		w.pass(3 * time.Second)
		b.wantAnswers(noRoute, taken)
		if len(a.got) != 1 || len(m.got) != 1 {
			t.Fatalf("alice has %d, mallory %d", len(a.got), len(m.got))
		}
	})
}

// A copy within two seconds gets the outcome of the first; after that it goes
// out again.
func TestOneForwardOfADigestAtATime(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		join(b, r)
		e := a.write(b, 100, r)
		for range 3 {
			a.send(r, e)
		}
		w.pass(1900 * time.Millisecond)
		a.send(r, e)
		w.pass(50 * time.Millisecond)
		a.wantAnswers(taken, taken, taken, taken)
		if len(b.got) != 1 {
			t.Fatalf("bob has it %d times", len(b.got))
		}
		w.pass(100 * time.Millisecond)
		a.send(r, e)
		w.pass(5 * way)
		a.wantAnswers(taken, taken, taken, taken, taken)
		if len(b.got) != 2 {
			t.Fatalf("bob has it %d times after two seconds", len(b.got))
		}
	})
}

func TestSilenceIsNoRouteAfterTwoSeconds(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		join(b, r)
		b.silentMood()
		begun := time.Now()
		e := a.write(b, 100, r)
		a.send(r, e)
		w.pass(3 * time.Second)
		a.wantAnswers(noRoute)
		if took := a.times[0].Sub(begun); took < memory || took > memory+beat+2*way {
			t.Errorf("it took %v", took)
		}
		if n, _ := r.queue.Flying(); n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}

func TestNextHopThatAnswersOthersIsBusy(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		join(b, r)
		first := a.write(b, 100, r)
		b.mood = func(in *line, e *envelope.Envelope) {
			if e.ID != first.ID {
				b.take(in, e)
			}
		}
		a.send(r, first)
		w.pass(time.Second)
		a.send(r, a.write(b, 100, r))
		w.pass(2 * time.Second)
		a.wantAnswers(taken, isBusy)
	})
}

// Each relay waits less than the one before, so the one next to the silence
// tells of it, and the honest ones are not blamed.
func TestOnlyTheSilentRelayIsBlamed(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, rs := w.settle('a'), w.settle('b'), w.relays("rstu")
		join(a, rs[0])
		for i := range 3 {
			join(rs[i], rs[i+1])
		}
		join(rs[3], b)
		rs[3].silentMood()
		begun := time.Now()
		a.send(rs[0], a.write(b, 100, rs...))
		w.pass(3 * time.Second)
		a.wantAnswers(noRoute)
		if took := a.times[0].Sub(begun); took > 1700*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		for i := range 3 {
			if n := rs[i].Why(rs[i+1].key()).Silent; (n > 0) != (i == 2) {
				t.Errorf("relay %d counts %v silences of the next", i, n)
			}
		}
	})
}

// A relay far down the chain has given up before its two seconds are over. What
// the next hop says after that is told to who asks once more.
func TestLateAnswerIsTheOutcomeOfCopies(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		join(b, r)
		b.mood = func(in *line, e *envelope.Envelope) {
			virtual.Pass(1500 * time.Millisecond)
			b.take(in, e)
		}
		e := a.write(b, 100, r)
		e.Hops = 3
		a.send(r, e)
		w.pass(1700 * time.Millisecond)
		a.wantAnswers(noRoute)
		a.send(r, e)
		w.pass(3 * way)
		a.wantAnswers(noRoute, taken)
		if len(b.got) != 1 {
			t.Errorf("bob has it %d times", len(b.got))
		}
	})
}

func TestNextHopIsDialledWithinTheTime(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		r.known[b.key()] = true
		a.send(r, a.write(b, 100, r))
		w.pass(2 * time.Second)
		a.wantAnswers(taken)
		if r.dialled != 1 {
			t.Errorf("dialled %d times", r.dialled)
		}
	})
}

func TestRelayNamedInThePathIsLookedFor(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b := w.settle('a'), w.settle('b')
		r, s := w.relay('r', func(c *Config) { c.Finds = true }), w.relay('s')
		join(a, r)
		join(b, s)
		a.send(r, a.write(b, 100, r, s))
		w.pass(2 * time.Second)
		a.wantAnswers(taken)
		a.send(r, a.write(w.settle('c'), 100, r)) // but a recipient is not
		w.pass(2 * time.Second)
		a.wantAnswers(taken, noRoute)
		if r.dialled != 1 {
			t.Errorf("dialled %d times", r.dialled)
		}
	})
}

func TestPeerThatCannotBeDialledIsLetBe(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r')
		join(a, r)
		r.known[b.key()] = true
		delete(w.folks, b.key())
		for range 5 {
			a.send(r, a.write(b, 100, r))
			w.pass(1500 * time.Millisecond)
		}
		a.wantAnswers(noRoute, noRoute, noRoute, noRoute, noRoute)
		if r.dialled != 1 {
			t.Errorf("dialled %d times", r.dialled)
		}
	})
}

func TestDialsAreFew(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		limits := DefaultLimits()
		limits.Dials = 4
		a, r := w.settle('a'), w.relay('r', func(c *Config) { c.Limits = &limits })
		join(a, r)
		for i := range 20 {
			b := w.settle(byte('A' + i))
			r.known[b.key()] = true
			delete(w.folks, b.key())
			a.send(r, a.write(b, 100, r))
		}
		w.pass(100 * time.Millisecond)
		if r.dialled != 2 {
			t.Errorf("a stranger has it dial %d at once", r.dialled)
		}
		w.pass(2 * time.Second)
		codes := map[envelope.Code]int{}
		for _, answer := range a.answers {
			codes[answer.Code]++
		}
		if codes[envelope.Busy] != 18 || codes[envelope.Refused] != 2 {
			t.Errorf("answers %v", codes)
		}
	})
}

func TestWhoIsCarriedFor(t *testing.T) {
	for name, c := range map[string]struct {
		mode   role.Mode
		public bool
		friend byte // of the relay: the author, or the recipient
		want   envelope.Answer
	}{
		"a stranger, hidden node":         {role.Auto, false, 0, policy},
		"a stranger, public node":         {role.Auto, true, 0, taken},
		"a friend, hidden node":           {role.Auto, false, 'a', taken},
		"to a friend, hidden node":        {role.Auto, false, 'b', taken},
		"a stranger, the user vouches":    {role.On, false, 0, taken},
		"a friend, the user forbids":      {role.Off, true, 'a', policy},
		"to a friend, the user forbids":   {role.Off, true, 'b', policy},
		"a stranger, and so the user has": {role.Off, false, 0, policy},
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, func(t *testing.T, w *town) {
				a, b := w.settle('a'), w.settle('b')
				r := w.relay('r', func(cfg *Config) {
					cfg.Mode, cfg.Public = c.mode, func() bool { return c.public }
				})
				join(a, r)
				join(b, r)
				for _, f := range []*folk{a, b} {
					if f.name == c.friend {
						r.friends[f.key()] = true
					}
				}
				a.send(r, a.write(b, 100, r))
				w.pass(5 * way)
				a.wantAnswers(c.want)
			})
		})
	}
}

// A stranger floods a relay whose next hop is slow: friends have their turn.
func TestFloodOfAStrangerKeepsNoFriendWaiting(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		limits := DefaultLimits()
		limits.Queue = fair.Limits{Flight: 16, FlightBytes: 1 << 20, Waiting: 100, WaitingBytes: 1 << 20}
		a, b, m, sink := w.settle('a'), w.settle('b'), w.settle('m'), w.settle('s')
		r := w.relay('r', func(c *Config) { c.Limits = &limits })
		for _, f := range []*folk{a, b, m, sink} {
			join(f, r)
		}
		r.friends[a.key()] = true
		sink.silentMood()
		for range 2000 {
			m.send(r, m.write(sink, 100, r))
		}
		w.pass(5 * way)
		for range 10 {
			a.send(r, a.write(b, 100, r))
		}
		w.pass(8 * way) // a line has four places of these sixteen
		if len(b.got) != 10 {
			t.Errorf("%d of the friend's 10 came", len(b.got))
		}
		w.pass(5 * time.Second)
		if len(m.answers) != 2000 {
			t.Errorf("%d of 2000 were answered", len(m.answers))
		}
		busy := 0
		for _, answer := range m.answers {
			if answer.Code == envelope.Busy && answer.RetryMillis >= 100 {
				busy++
			}
		}
		if busy < 1900 {
			t.Errorf("%d were told when to come again", busy)
		}
	})
}

// A stranger that brings a friend's old envelopes uses up its own rate.
func TestReplayedEnvelopesChargeWhoBringsThem(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, m, r := w.settle('a'), w.settle('b'), w.settle('m'), w.relay('r')
		for _, f := range []*folk{a, b, m} {
			join(f, r)
		}
		r.friends[a.key()] = true
		for range 1500 {
			m.send(r, a.write(b, 100, r))
		}
		w.pass(5 * way)
		a.send(r, a.write(b, 100, r))
		w.pass(5 * way)
		a.wantAnswers(taken)
		if burst := 4*256 + 20; len(b.got) > burst {
			t.Errorf("%d of the replayed came through", len(b.got))
		}
	})
}

// What is remembered has a bound, and who does not fit is told.
func TestPassagesAreBounded(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		limits := DefaultLimits()
		limits.Passages = 10
		a, b, r := w.settle('a'), w.settle('b'), w.relay('r', func(c *Config) { c.Limits = &limits })
		join(a, r)
		join(b, r)
		for range 15 {
			a.send(r, a.write(b, 100, r))
		}
		w.pass(5 * way)
		codes := map[envelope.Code]int{}
		for _, answer := range a.answers {
			codes[answer.Code]++
		}
		if codes[envelope.Taken] != 10 || codes[envelope.Busy] != 5 {
			t.Errorf("answers %v", codes)
		}
		w.pass(3 * time.Second)
		if n := len(r.passages.byDigest) + len(r.passages.byShort) + len(r.passages.order); n != 0 {
			t.Errorf("%d are remembered after it is over", n)
		}
	})
}

// A next hop that says "taken" a thousand times has said it once; an answer by
// another than the next hop is none.
func TestForgedAnswersChangeNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, m, r := w.settle('a'), w.settle('b'), w.settle('m'), w.relay('r')
		for _, f := range []*folk{a, b, m} {
			join(f, r)
		}
		b.mood = func(in *line, e *envelope.Envelope) {
			forged := &line{from: in.from, to: m}
			forged.say(e, envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonPolicy})
			virtual.Pass(3 * way)
			for range 1000 {
				in.say(e, taken)
			}
		}
		a.send(r, a.write(b, 100, r))
		w.pass(10 * way)
		a.wantAnswers(taken)
		if why := r.Why(a.key()); why.Served > 1.1 {
			t.Errorf("counted %v times", why.Served)
		}
	})
}
