package delivery

import (
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func TestRelayIsTriedBesideADialThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.relay(honest, 30*time.Millisecond)
	start := w.now
	w.send()
	w.run(100 * time.Millisecond)
	if w.sent > 0 {
		t.Error("the dial has no head start")
	}
	w.run(10 * time.Second)
	w.wantDelivered(start, 500*time.Millisecond)
	if w.copies() != 0 {
		t.Errorf("%d copies", w.copies())
	}
	if n := w.judged(r, func(o Outcome) bool { return o.Receipt && o.To == bob }); n != 1 {
		t.Errorf("%d receipts credited, want one", n)
	}

	start = w.now
	id := w.send() // now the relay needs no second place
	w.run(50 * time.Millisecond)
	rep, _ := w.m.Report(id)
	if n := len(rep.Attempts); n == 0 || rep.Attempts[n-1].Path != "relays" || rep.Attempts[n-1].Via[0] != r {
		t.Errorf("trace %+v", rep.Attempts)
	}
	w.run(time.Second)
	w.wantDelivered(start, 150*time.Millisecond)
}

func TestFailedDialGoesToRelaysAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.relay(honest, 10*time.Millisecond)
	w.dials = func() error { return errNobody }
	start := w.now
	w.send()
	w.run(time.Second)
	w.wantDelivered(start, 150*time.Millisecond)
}

func TestADeadRungDelaysByItsHeadStartOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   relayKind
		within time.Duration
	}{
		"mute":     {mute, 700 * time.Millisecond},
		"refuses":  {refuser, 450 * time.Millisecond},
		"is busy":  {packed, 450 * time.Millisecond},
		"is away":  {gone, 450 * time.Millisecond},
		"is alive": {honest, 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			first := w.relay(c.kind, 20*time.Millisecond)
			w.relay(honest, 20*time.Millisecond)
			start := w.now
			w.send()
			w.run(10 * time.Second)
			w.wantDelivered(start, c.within)
			if w.sent > 2 {
				t.Errorf("%d copies", w.sent)
			}
			if c.kind == mute && w.judged(first, isSilence) != 1 {
				t.Errorf("silence is not told: %+v", w.outcomes)
			}
		})
	}
}

func TestRelayThatTakesAndDropsIsPassedBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	bad := w.relay(thief, 20*time.Millisecond)
	w.relay(honest, 20*time.Millisecond)
	start := w.now
	id := w.send()
	w.run(time.Second)
	if r, _ := w.m.Report(id); r.State != Relayed {
		t.Errorf("state %v, want relayed", r.State)
	}
	w.run(10 * time.Second)
	w.wantDelivered(start, 6*time.Second)
	if w.judged(bad, func(o Outcome) bool { return o.Lost }) != 1 {
		t.Errorf("the loss is not told: %+v", w.outcomes)
	}
}

func TestAnswersOfWhoWasNotAskedCountForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	asked := w.relay(mute, 20*time.Millisecond)
	id := w.send()
	w.run(400 * time.Millisecond)
	stranger := protocols.Key{99}
	for _, code := range []envelope.Code{envelope.Taken, envelope.Stored, envelope.Busy, envelope.Refused} {
		for _, from := range []protocols.Key{stranger, bob, carol} {
			w.m.Answered(w.now, from, answer(w.msgs[id], code))
			w.act()
		}
	}
	if r, _ := w.m.Report(id); r.State != Sent || len(w.outcomes) > 0 || r.Attempts[len(r.Attempts)-1].Result != "" {
		t.Errorf("a forged answer counted: %v, %+v, %+v", r.State, r.Attempts, w.outcomes)
	}
	w.m.Answered(w.now, asked, answer(w.msgs[id], envelope.Taken))
	w.m.Answered(w.now, asked, answer(w.msgs[id], envelope.Taken)) // twice counts once
	w.act()
	if r, _ := w.m.Report(id); r.State != Relayed || len(w.outcomes) != 1 {
		t.Errorf("state %v, outcomes %+v", r.State, w.outcomes)
	}
}

func TestARelaysWordFailsNoMessage(t *testing.T) {
	t.Parallel()
	for why := envelope.ReasonClock; why <= envelope.ReasonSize; why++ {
		w := newWorld(t, 1)
		liar := w.relay(mute, time.Millisecond)
		w.relay(honest, 20*time.Millisecond)
		start := w.now
		id := w.send()
		w.run(rungDelay + time.Millisecond)
		a := answer(w.msgs[id], envelope.Refused)
		a.Reason = why
		w.m.Answered(w.now, liar, a)
		w.act()
		w.run(time.Second)
		w.wantDelivered(start, time.Second)
	}
}

func TestDeadLadderIsClimbedEverMoreRarely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.dials = func() error { return errNobody }
	for _, kind := range []relayKind{mute, refuser, thief, gone} {
		w.relay(kind, 20*time.Millisecond)
	}
	id := w.send()
	for range 500 {
		w.send()
	}
	w.run(time.Hour)
	// The thief is believed anew for each message; each knows better and better.
	per := float64(w.sent) / float64(len(w.msgs))
	t.Logf("%.1f copies of each in an hour", per)
	if per > 70 {
		t.Errorf("%.1f copies of each in an hour", per)
	}
	r, _ := w.m.Report(id)
	if r.Next.IsZero() || r.State < Relayed && r.Reason == "" {
		t.Errorf("next try %v, reason %q", r.Next, r.Reason)
	}
}

func TestRecipientWhomNoRelayKnowsIsAskedForWithOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.dials = func() error { return errNobody }
	w.relay(refuser, 20*time.Millisecond)
	w.relay(refuser, 20*time.Millisecond)
	for range 500 {
		w.send()
	}
	w.run(time.Hour)
	if w.sent > 100 {
		t.Errorf("%d copies in an hour", w.sent)
	}
	before := w.sent
	start := w.now
	w.relay(honest, 20*time.Millisecond)
	w.m.RoutesChanged(w.now)
	w.run(time.Minute)
	w.wantDelivered(start, 15*time.Second)
	if n := w.sent - before; n > 520 {
		t.Errorf("%d copies of 500 messages", n)
	}
}

func TestANewRouteIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.dials = func() error { return errNobody }
	w.send()
	w.run(time.Hour)
	if w.sent > 0 {
		t.Error("sent with no route")
	}
	start := w.now
	w.relay(honest, 20*time.Millisecond)
	for range 1000 { // however often it is told
		w.m.RoutesChanged(w.now)
	}
	w.run(time.Minute)
	w.wantDelivered(start, 200*time.Millisecond)
}

func TestBurstOverALiveConnectionIsNotMultiplied(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(w *world){
		"delay and jitter": func(w *world) { w.delay, w.jitter = 150*time.Millisecond, 200*time.Millisecond },
		"a far peer":       func(w *world) { w.delay = 600 * time.Millisecond },
		"slow receipts":    func(w *world) { w.perReceipt, w.receiptDelay = 8*time.Millisecond, 5*time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 7)
			set(w)
			w.relay(honest, 10*time.Millisecond)
			w.relay(honest, 10*time.Millisecond)
			w.connect(Path{})
			for range 5000 {
				w.send()
			}
			w.run(3 * time.Minute)
			w.wantDelivered(w.now, 0)
			if w.copies() > 500 {
				t.Errorf("%d copies of 5000 messages", w.copies())
			}
			t.Logf("%d copies of 5000 messages", w.copies())
		})
	}
}

func TestMessagesOneByOneAreNotMultiplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.delay, w.jitter = 80*time.Millisecond, 400*time.Millisecond
	w.relay(honest, 10*time.Millisecond)
	w.connect(Path{})
	for range 1000 {
		w.send()
		w.run(time.Second)
	}
	w.run(time.Minute)
	w.wantDelivered(w.now, 0)
	if w.copies() > 103 {
		t.Errorf("%d copies of 1000 messages", w.copies())
	}
}

func TestBurstOverRelaysKeepsToItsWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.relay(honest, 100*time.Millisecond) // slower than a head start
	w.relay(honest, 100*time.Millisecond)
	start := w.now
	for range 3000 {
		w.send()
	}
	w.run(time.Minute)
	w.wantDelivered(start, 20*time.Second)
	if w.maxOpen > relayWindow+maxRungs {
		t.Errorf("%d copies were open", w.maxOpen)
	}
	if w.copies() > 60 {
		t.Errorf("%d copies of 3000 messages", w.copies())
	}
}

func TestSilentConnectionIsLeftForRelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.connect(Path{})
	w.send()
	w.run(time.Second) // now its answer time is known
	w.relay(honest, 20*time.Millisecond)
	w.dead = true
	start := w.now
	for range 100 {
		w.send()
	}
	w.run(rungDelay + 20*time.Millisecond)
	if w.sent != 102 {
		t.Errorf("%d copies sent before the scout got through", w.sent-101)
	}
	w.run(700 * time.Millisecond)
	w.wantDelivered(start, 800*time.Millisecond)
	w.run(time.Minute)
	if w.sent > 202+10 {
		t.Errorf("%d sent of 101 messages", w.sent)
	}
}

func TestWhatRecipientAndRelayTookIsTriedAgainIfNoReceiptComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.connect(Path{})
	w.send()
	w.run(time.Second) // now its answer time is known
	w.relay(thief, 20*time.Millisecond)
	w.delay, w.unheard = 400*time.Millisecond, true
	id := w.send()
	w.run(time.Second)
	r, _ := w.m.Report(id)
	if len(r.Attempts) != 2 || r.Attempts[0].Result != "taken" || r.Attempts[1].Result != "taken" {
		t.Fatalf("the attempts are %+v", r.Attempts)
	}
	w.down() // and the receipt is lost
	w.delay, w.unheard = 20*time.Millisecond, false
	w.relay(honest, 20*time.Millisecond)
	w.run(10 * time.Second)
	w.wantDelivered(w.now, 0)
}

func TestConnectionThatWasOnlySlowIsNotSentEverythingAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.connect(Path{})
	w.send()
	w.run(time.Second)
	w.relay(honest, 20*time.Millisecond)
	w.delay = 700 * time.Millisecond // all of a sudden
	for range 300 {
		w.send()
	}
	direct := w.direct
	w.run(time.Minute)
	w.wantDelivered(w.now, 0)
	if w.direct > direct+30 {
		t.Errorf("%d sent again over the connection they were on", w.direct-direct)
	}
}

func TestMoveToABetterPathNeitherLosesNorMultiplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	relay := protocols.Key{77}
	w.delay, w.jitter = 60*time.Millisecond, 30*time.Millisecond
	w.connect(Path{Relayed: true, Via: relay})
	for i := range 2000 {
		w.send()
		w.run(5 * time.Millisecond)
		if i == 1000 {
			w.delay = 15 * time.Millisecond
			w.connect(Path{Transport: "quic"}) // while the old one still answers
		}
	}
	w.run(time.Minute)
	w.wantDelivered(w.now, 0)
	if w.copies() > 0 {
		t.Errorf("%d copies", w.copies())
	}
}

func TestWhatRelaysHaveIsNotSentAgainWhenThePeerComesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.relay(honest, 40*time.Millisecond)
	w.send()
	w.run(rungDelay + 10*time.Millisecond)
	w.connect(Path{})
	w.run(time.Minute)
	w.wantDelivered(w.now, 0)
	if w.sent != 1 {
		t.Errorf("%d copies", w.sent)
	}

	w.down()
	w.routes = nil
	w.relay(mute, 0)
	w.send() // on a dead path
	w.run(hopTimeout - time.Second)
	start := w.now
	w.connect(Path{})
	w.run(time.Minute)
	w.wantDelivered(start, 100*time.Millisecond)
}

func TestFlappingConnectionMultipliesNothingOverRelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.dials = func() error { return errNobody }
	w.relay(refuser, 10*time.Millisecond)
	w.relay(mute, 10*time.Millisecond)
	w.dead = true
	for range 20 {
		w.send()
	}
	for range 600 {
		w.connect(Path{})
		w.dead = true
		w.run(500 * time.Millisecond)
		w.down()
		w.run(500 * time.Millisecond)
	}
	if over := w.sent - w.direct; over > 300 {
		t.Errorf("%d copies over relays in ten minutes", over)
	}
	w.connect(Path{})
	start := w.now
	w.run(time.Minute)
	w.wantDelivered(start, time.Second)
}

func TestWhatACircuitHasNoRoomForGoesToRelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.up = true
	w.m.PeerUp(w.now, bob, Path{Relayed: true, Via: carol})
	w.m.Ready()
	unfit := func() envelope.ID {
		id := envelope.ID{byte(len(w.msgs) + 1)}
		msg := Message{
			Letter: Letter{ID: id, From: alice, To: bob, Digest: envelope.Digest{id[0]}, Created: w.now, End: w.now.Add(time.Hour), State: Queued},
			Size:   100_000, Sealed: true,
		}
		w.msgs[id] = msg
		w.m.Accept(w.now, msg)
		w.m.Ready()
		w.m.Unfit(w.now, bob, id)
		w.act()
		return id
	}
	waits := unfit()
	r, _ := w.m.Report(waits)
	if !strings.Contains(r.Reason, ErrLimit.Error()) || r.Next.IsZero() {
		t.Errorf("reason %q, next try %v", r.Reason, r.Next)
	}
	w.relay(honest, 20*time.Millisecond)
	goes := unfit()
	w.run(500 * time.Millisecond)
	if _, ok := w.delivered[goes]; !ok {
		r, _ := w.m.Report(goes)
		t.Errorf("not delivered over the relay: %+v", r)
	}
	start := w.now
	w.connect(Path{}) // direct: there is room
	w.run(time.Second)
	w.wantDelivered(start, 100*time.Millisecond)
}

func TestReceiptsWaitForPrekeysButAMoment(t *testing.T) {
	b := newBench(t)
	msg := b.message()
	msg.Sealed, msg.Control, msg.ByRelays = false, true, true
	b.accept(msg)
	r := b.pass(receiptWait - time.Millisecond)
	if len(r.Seal) > 0 || len(r.LookUp) != 1 || len(r.Dial) != 1 {
		t.Fatalf("at first: %+v", r)
	}
	if r = b.pass(2 * time.Millisecond); len(r.Seal) != 1 || !r.Seal[0].ToIdentity {
		t.Fatalf("after a moment: %+v", r)
	}
	b.m.Sealed(b.now, msg.ID, envelope.Digest{1}, 600, false)
	if r = b.m.Ready(); len(r.Routes) != 1 {
		t.Fatalf("the way back has to wait: %+v", r)
	}
}

func TestPrekeysAreLookedForOnceInAWhile(t *testing.T) {
	b := newBench(t)
	looked := 0
	for range 600 {
		msg := b.message()
		msg.ID[1]++
		msg.ID[2] = byte(looked)
		msg.Sealed, msg.DemandsSecrecy = false, true
		b.accept(msg)
		r := b.pass(time.Second)
		looked += len(r.LookUp)
		for range r.LookUp {
			b.m.LookedUp(b.now, bob)
		}
	}
	if looked < 10 || looked > 21 {
		t.Errorf("looked %d times in ten minutes", looked)
	}
}

func TestRoutesThatLeadNowhereAreNotTaken(t *testing.T) {
	t.Parallel()
	a, b := protocols.Key{1}, protocols.Key{2}
	for name, r := range map[string]Route{
		"empty": {}, "over the recipient": {a, bob}, "twice over one": {a, a}, "over nobody": {{}},
		"too long": {a, b, {3}, {4}, {5}},
	} {
		if r.sound(bob) {
			t.Errorf("%s is taken", name)
		}
	}
	if !(Route{a, carol, {4}, {5}}).sound(bob) {
		t.Error("four relays are refused")
	}
}

func TestPeersAreWatchedWhileMessagesWait(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	var told []Watch
	for range 100 {
		msg := b.accept(b.message())
		told = append(told, b.m.Ready().Watch...)
		b.receipt(receiptOf(ack.Delivered, msg))
		told = append(told, b.pass(time.Second).Watch...)
	}
	if len(told) > 20 || !told[0].Waiting {
		t.Errorf("told %d times in 100 messages: %+v", len(told), told)
	}
	told = append(told, b.pass(time.Minute).Watch...)
	if told[len(told)-1].Waiting {
		t.Error("watched for ever")
	}
	control := b.message()
	control.Control = true
	b.accept(control)
	if w := b.m.Ready().Watch; len(w) > 0 {
		t.Errorf("watched for receipts: %+v", w)
	}
}
