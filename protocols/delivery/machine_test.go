package delivery

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var (
	alice = protocols.Key{1}
	bob   = protocols.Key{2}
	carol = protocols.Key{3}
)

// bench is a machine under a clock of the test's own.
type bench struct {
	*testing.T
	m   *Machine
	now time.Time
	n   byte
}

func newBench(t *testing.T) *bench {
	t.Parallel()
	return &bench{T: t, m: NewMachine(1), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// message is one to bob, sealed, with a day to live.
func (b *bench) message() Message {
	b.n++
	return Message{
		Letter: Letter{
			ID: envelope.ID{b.n}, From: alice, To: bob, Digest: envelope.Digest{b.n},
			Created: b.now, End: b.now.Add(24 * time.Hour), State: Queued,
		},
		Size: 600, Sealed: true, ForwardSecret: true,
	}
}

func (b *bench) accept(msg Message) Message {
	b.m.Accept(b.now, msg)
	return msg
}

// pass lets time go by, stopping at every deadline, and gathers what the
// machine wanted meanwhile.
func (b *bench) pass(d time.Duration) Ready {
	end := b.now.Add(d)
	all := b.m.Ready()
	for {
		at := b.m.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		b.now = at
		b.m.Tick(b.now)
		r := b.m.Ready()
		all.Save = append(all.Save, r.Save...)
		all.Seal = append(all.Seal, r.Seal...)
		all.Reseal = append(all.Reseal, r.Reseal...)
		all.Transmit = append(all.Transmit, r.Transmit...)
		all.Dial = append(all.Dial, r.Dial...)
		all.Probe = append(all.Probe, r.Probe...)
		all.Routes = append(all.Routes, r.Routes...)
		all.LookUp = append(all.LookUp, r.LookUp...)
		all.Watch = append(all.Watch, r.Watch...)
		all.Place = append(all.Place, r.Place...)
		all.Release = append(all.Release, r.Release...)
	}
	b.now = end
	return all
}

func (b *bench) sent(r Ready) (ids []envelope.ID) {
	for _, t := range r.Transmit {
		ids = append(ids, t.IDs...)
	}
	return ids
}

func (b *bench) wantSent(r Ready, msgs ...Message) {
	b.Helper()
	got := b.sent(r)
	if len(got) != len(msgs) {
		b.Fatalf("sent %v, want %d messages", got, len(msgs))
	}
	for i, msg := range msgs {
		if got[i] != msg.ID {
			b.Fatalf("sent %v at %d, want %v", got[i], i, msg.ID)
		}
	}
}

// wantState asserts the newest state that was to be saved for a message.
func (b *bench) wantState(r Ready, msg Message, want State) Report {
	b.Helper()
	for i := len(r.Save) - 1; i >= 0; i-- {
		if r.Save[i].ID == msg.ID {
			if r.Save[i].State != want {
				b.Fatalf("state %v (%s), want %v", r.Save[i].State, r.Save[i].Reason, want)
			}
			return r.Save[i]
		}
	}
	b.Fatalf("no state was saved, want %v", want)
	return Report{}
}

func receiptOf(kind ack.Kind, msgs ...Message) *ack.Receipt {
	r := &ack.Receipt{Kind: kind, From: bob, To: alice, Time: uint64(msgs[0].Created.UnixMilli())}
	for _, msg := range msgs {
		r.Entries = append(r.Entries, ack.Entry{ID: msg.ID, Digest: msg.Digest.Short()})
	}
	return r
}

func (b *bench) receipt(r *ack.Receipt) []int {
	return b.m.Receipt(b.now, r, func() uint64 { return 7 })
}

func answer(msg Message, code envelope.Code) envelope.Answer {
	return envelope.Answer{Digest: msg.Digest.Short(), Code: code}
}

func TestMessageIsDeliveredByReceiptAlone(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.wantSent(b.m.Ready(), msg)
	b.m.Written(b.now, msg.ID)
	b.m.Answered(b.now, bob, answer(msg, envelope.Taken))
	b.wantState(b.pass(time.Second), msg, Sent)

	b.receipt(receiptOf(ack.Delivered, msg))
	r := b.wantState(b.m.Ready(), msg, Delivered)
	if r.Receipt != 7 || r.Attempts[0].Result != "receipt" {
		t.Fatalf("report %+v", r)
	}
	if at := b.m.Deadline(); !at.IsZero() && b.pass(48*time.Hour).Save != nil {
		t.Fatal("a delivered message is still in the machine")
	}
}

func TestFastDeliveryIsSavedOnce(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.m.Written(b.now, msg.ID)
	b.receipt(receiptOf(ack.Delivered, msg))
	if r := b.pass(time.Minute); len(r.Save) != 1 || r.Save[0].State != Delivered {
		t.Fatalf("saved %v", r.Save)
	}
}

func TestAwayRecipientIsDialledWithBackoffAndAtOnceWhenItAppears(t *testing.T) {
	b := newBench(t)
	msg := b.accept(b.message())
	dials := 0
	for range 40 {
		r := b.pass(time.Minute)
		dials += len(r.Dial)
		for range r.Dial {
			b.m.Dialed(b.now, bob, errors.New("nobody there"))
		}
	}
	if dials < 10 || dials > 25 {
		t.Fatalf("%d dials in 40 minutes", dials)
	}
	b.m.PeerUp(b.now, bob, Path{})
	b.wantSent(b.m.Ready(), msg)
	rep, _ := b.m.Report(msg.ID)
	if len(rep.Attempts) < 10 || rep.Attempts[0].Path != "dial" || rep.Attempts[0].Result != "nobody there" {
		t.Fatalf("trace %+v", rep.Attempts)
	}
}

func TestLostConnectionSendsAgainInOrder(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	one, two, three := b.accept(b.message()), b.accept(b.message()), b.accept(b.message())
	b.wantSent(b.m.Ready(), one, two, three)
	b.m.Answered(b.now, bob, answer(one, envelope.Taken)) // taken is no receipt
	b.receipt(receiptOf(ack.Delivered, two))
	b.m.PeerDown(b.now, bob)
	if r := b.m.Ready(); len(r.Dial) != 1 {
		t.Fatalf("no dial after the connection was lost")
	}
	b.m.Dialed(b.now, bob, nil)
	b.m.PeerUp(b.now, bob, Path{})
	b.wantSent(b.m.Ready(), one, three)
}

func TestPeerThatConnectsAnewGetsAgainWhatIsNotAnswered(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	taken := b.accept(b.message())
	b.m.Answered(b.now, bob, answer(taken, envelope.Taken))
	b.m.Ready()
	b.pass(time.Second)
	one, two := b.accept(b.message()), b.accept(b.message())
	b.wantSent(b.m.Ready(), one, two)
	b.pass(time.Millisecond)
	b.m.PeerUp(b.now, bob, Path{}) // killed and back, or a better path: the old connection may still answer
	b.wantSent(b.m.Ready())
	b.wantSent(b.pass(300*time.Millisecond), one, two)
	b.wantSent(b.pass(time.Second), taken)

	b.m.Answered(b.now, bob, answer(one, envelope.Taken))
	b.m.PeerUp(b.now, bob, Path{}) // two dialled each other: the first connection is as good
	b.wantSent(b.m.Ready())
}

func TestAPeerThatHangsUpIsDialledEverMoreRarely(t *testing.T) {
	b := newBench(t)
	msg := b.accept(b.message())
	dials := 0
	for range 36_000 {
		for r := b.pass(100 * time.Millisecond); len(r.Dial) > 0; r = b.m.Ready() {
			dials += len(r.Dial)
			b.m.PeerUp(b.now, bob, Path{})
			b.m.Dialed(b.now, bob, nil)
			b.m.PeerDown(b.now, bob)
		}
	}
	if dials < 10 || dials > 30 {
		t.Errorf("%d dials in an hour", dials)
	}
	b.m.PeerUp(b.now, bob, Path{})
	b.wantSent(b.m.Ready(), msg)
	b.m.Answered(b.now, bob, answer(msg, envelope.Taken))
	b.m.PeerDown(b.now, bob) // he is well again: what happened before is forgotten
	if r := b.m.Ready(); len(r.Dial) != 1 {
		t.Error("not dialled at once")
	}
}

func TestSilenceProbesAndADeadPathIsRedialled(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.m.Ready()
	b.m.Written(b.now, msg.ID)
	r := b.pass(2 * time.Second)
	if len(r.Probe) != 1 || r.Probe[0] != bob {
		t.Fatalf("probes after 2 s of silence: %v", r.Probe)
	}
	b.m.Probed(b.now, bob, false)
	b.m.PeerDown(b.now, bob)
	b.m.Dialed(b.now, bob, nil)
	b.m.PeerUp(b.now, bob, Path{})
	b.wantSent(b.m.Ready(), msg)
}

func TestAMovingQueueIsNotProbed(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	var msgs []Message
	for range 9 { // fewer seconds than a missing receipt is waited for
		msgs = append(msgs, b.accept(b.message()))
	}
	b.m.Ready()
	for _, msg := range msgs {
		if r := b.pass(time.Second); len(r.Probe)+len(r.Transmit) > 0 {
			t.Fatalf("probed or sent again while answers come: %+v", r)
		}
		b.m.Answered(b.now, bob, answer(msg, envelope.Taken))
	}
}

func TestALivingButSilentPeerIsNotFlooded(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	copies := len(b.sent(b.m.Ready()))
	for range 3600 {
		r := b.pass(time.Second)
		copies += len(b.sent(r))
		for range r.Probe {
			b.m.Probed(b.now, bob, true)
		}
	}
	if copies < 4 || copies > 30 {
		t.Fatalf("%d copies in an hour", copies)
	}
	b.receipt(receiptOf(ack.Delivered, msg))
	b.wantState(b.m.Ready(), msg, Delivered)
}

func TestTakenWithoutReceiptIsSentAgain(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.m.Ready()
	b.m.Answered(b.now, bob, answer(msg, envelope.Taken))
	if r := b.pass(5 * time.Second); len(r.Transmit) > 0 {
		t.Fatal("sent again too early")
	}
	b.wantSent(b.pass(10*time.Second), msg)
}

func TestTakenIsSentAgainSoonAfterTheStreamEnds(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	taken, busy := b.accept(b.message()), b.accept(b.message())
	b.m.Ready()
	b.m.Answered(b.now, bob, answer(taken, envelope.Taken))
	b.m.Answered(b.now, bob, envelope.Answer{Digest: busy.Digest.Short(), Code: envelope.Busy, RetryMillis: 60_000})
	b.m.LineLost(b.now, bob) // bob was killed, and is back before his connection was missed
	b.wantSent(b.pass(time.Second), taken)
}

func TestAPeerThatTakesAndSignsNothingIsNotFlooded(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	taken := b.accept(b.message())
	b.m.Ready()
	copies := 0
	for range 3600 {
		b.m.Answered(b.now, bob, answer(taken, envelope.Taken))
		b.m.LineLost(b.now, bob)
		copies += len(b.sent(b.pass(time.Second)))
	}
	if copies > 30 {
		t.Fatalf("%d copies in an hour", copies)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := func(why envelope.Reason) envelope.Answer {
		return envelope.Answer{Code: envelope.Refused, Reason: why}
	}
	for name, c := range map[string]struct {
		answer envelope.Answer
		final  bool
		again  time.Duration // sent again by then, and not in half the time
	}{
		"conflict": {refuse(envelope.ReasonConflict), true, 0},
		"policy":   {refuse(envelope.ReasonPolicy), true, 0},
		"quota":    {refuse(envelope.ReasonQuota), false, 13 * time.Second},
		"busy":     {envelope.Answer{Code: envelope.Busy, RetryMillis: 30_000}, false, 31 * time.Second},
		"busy with an absurd wait": {
			envelope.Answer{Code: envelope.Busy, RetryMillis: 1 << 60}, false, 6 * time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.m.PeerUp(b.now, bob, Path{})
			msg := b.accept(b.message())
			b.m.Ready()
			c.answer.Digest = msg.Digest.Short()
			b.m.Answered(b.now, bob, c.answer)
			if c.final {
				if r := b.wantState(b.m.Ready(), msg, Failed); r.Reason == "" {
					t.Fatal("failed without a reason")
				}
				return
			}
			if r := b.pass(c.again / 2); len(r.Transmit) > 0 {
				t.Fatal("sent again too early")
			}
			b.wantSent(b.pass(c.again/2+time.Second), msg)
		})
	}
}

func TestAMessageAheadOfTheRecipientsClockWaitsForIt(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.m.Ready()
	behind := func(d time.Duration) envelope.Answer {
		a := answer(msg, envelope.Refused)
		a.Reason, a.Value = envelope.ReasonClock, uint64(b.now.Add(-d).UnixMilli())
		return a
	}
	b.m.Answered(b.now, bob, behind(9*time.Minute))
	if r := b.pass(4 * time.Minute); len(r.Transmit) > 0 {
		t.Fatal("sent again before the recipient's clock allows it")
	}
	b.wantSent(b.pass(2*time.Second), msg)

	// A clock that is hours behind may be set right any time.
	b.m.Answered(b.now, bob, behind(20*time.Hour))
	b.wantSent(b.pass(maxRetry), msg)
}

func TestAnswersOfOthersChangeNothing(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	b.m.PeerUp(b.now, carol, Path{})
	msg := b.accept(b.message())
	b.m.Ready()
	a := answer(msg, envelope.Refused)
	a.Reason = envelope.ReasonConflict
	b.m.Answered(b.now, carol, a)
	if rep, ok := b.m.Report(msg.ID); !ok || rep.State != Queued {
		t.Fatalf("a stranger's refusal counted: %+v", rep)
	}
}

func TestExpiry(t *testing.T) {
	b := newBench(t)
	msg := b.accept(b.message())
	demanding := b.message()
	demanding.Sealed, demanding.DemandsSecrecy = false, true
	b.accept(demanding)
	r := b.pass(24*time.Hour + time.Second)
	b.wantState(r, msg, Expired)
	b.wantState(r, demanding, Failed)
	for _, req := range r.Seal {
		if req.ID == demanding.ID {
			t.Fatal("a message that demands forward secrecy was to be sealed without")
		}
	}
	if _, ok := b.m.Report(msg.ID); ok {
		t.Fatal("an expired message is still there")
	}
}

func TestNothingExpiresWhileTheClockIsInDoubt(t *testing.T) {
	b := newBench(t)
	msg := b.accept(b.message())
	b.m.Doubt(true)
	if r := b.pass(48 * time.Hour); len(r.Save) > 0 {
		t.Fatalf("saved %+v", r.Save)
	}
	b.m.Doubt(false)
	b.wantState(b.pass(doubtRetry), msg, Expired)
}

func TestUnsealedMessageWaitsThreeSecondsForAPrekey(t *testing.T) {
	b := newBench(t)
	msg := b.message()
	msg.Sealed = false
	b.accept(msg)
	r := b.pass(2900 * time.Millisecond)
	if len(r.Seal) > 0 || len(r.Dial) != 1 {
		t.Fatalf("before three seconds: %+v", r)
	}
	r = b.pass(200 * time.Millisecond)
	if len(r.Seal) != 1 || !r.Seal[0].ToIdentity {
		t.Fatalf("after three seconds: %+v", r.Seal)
	}

	other := b.message()
	other.Sealed = false
	b.accept(other)
	b.m.PrekeysKnown(b.now, bob)
	if r := b.m.Ready(); len(r.Seal) != 1 || r.Seal[0].ToIdentity {
		t.Fatalf("with prekeys: %+v", r.Seal)
	}
	b.m.PeerUp(b.now, bob, Path{})
	b.m.Sealed(b.now, other.ID, envelope.Digest{99}, 600, true)
	b.wantSent(b.m.Ready(), other)
}

func TestUnopenableIsSealedAnewAFewTimes(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	for n := range maxReseals {
		b.m.Ready()
		b.receipt(receiptOf(ack.Unopenable, msg))
		b.receipt(receiptOf(ack.Unopenable, msg)) // twice asks once
		if r := b.m.Ready(); len(r.Reseal) != 1 || r.Reseal[0] != msg.ID {
			t.Fatalf("reseal %v", r.Reseal)
		}
		next := b.message()
		next.Reseals = n + 1
		b.accept(next)
		b.m.Succeeded(b.now, msg.ID, next.ID)
		if r := b.wantState(b.m.Ready(), msg, Failed); r.Successor != next.ID {
			t.Fatal("the old message does not point to its successor")
		}
		msg = next
	}
	b.receipt(receiptOf(ack.Unopenable, msg))
	b.wantState(b.m.Ready(), msg, Failed)
}

func TestWindowBoundsWhatIsUnderWay(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	big := b.message()
	big.Size = windowBytes
	b.accept(big)
	next := b.accept(b.message())
	b.wantSent(b.m.Ready(), big)
	b.m.Answered(b.now, bob, answer(big, envelope.Taken))
	b.wantSent(b.m.Ready(), next)
}

func TestConnectionThatTakesNothingRestsALittle(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.m.Ready()
	b.m.Unsent(b.now, bob, msg.ID)
	if r := b.m.Ready(); len(r.Transmit) > 0 {
		t.Fatal("sent again at once")
	}
	b.wantSent(b.pass(unsentHold), msg)
	if rep, _ := b.m.Report(msg.ID); len(rep.Attempts) != 1 {
		t.Errorf("trace %+v", rep.Attempts)
	}
}

func TestTraceNamesThePathThatWasTaken(t *testing.T) {
	b := newBench(t)
	b.m.PeerUp(b.now, bob, Path{Relayed: true, Via: carol, Transport: "quic"})
	one := b.accept(b.message())
	b.m.PeerUp(b.now, bob, Path{Transport: "tcp"})
	two := b.accept(b.message())
	for _, c := range []struct {
		msg  Message
		want Attempt
	}{
		{one, Attempt{Path: "relayed", Via: Route{carol}, Transport: "quic"}},
		{two, Attempt{Path: "direct", Transport: "tcp"}},
	} {
		r, _ := b.m.Report(c.msg.ID)
		got := r.Attempts[len(r.Attempts)-1]
		if c.want.At = b.now; !reflect.DeepEqual(got, c.want) {
			t.Errorf("attempt %+v, want %+v", got, c.want)
		}
	}
}
