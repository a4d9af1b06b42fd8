package delivery

import (
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// unsentHold is how long a connection that would not take an envelope rests.
const unsentHold = 20 * time.Millisecond

// peer is a recipient: how it is reached, and what waits for it.
type peer struct {
	key     protocols.Key
	up      bool
	path    Path // of the best connection
	tracked int  // messages for it in the machine

	unsealed queue // waiting for a prekey
	ready    queue // to go out as soon as the connection takes them
	flight   queue // sent, by time, and not answered
	waiting  queue // answered; for a receipt or the next try

	dialing  timer // armed between two dials
	inDial   bool
	dialedAt time.Time // when the newest dial began
	dials    int       // failed in a row
	barren   int       // connections in a row on which nothing was answered
	fruitful bool      // something was answered since the peer came up
	attempts []Attempt

	silence    timer // for an answer on the open connection
	lastAnswer time.Time
	roundTrip  time.Duration // smoothed, from written to answered
	probing    bool
	stalls     int // rounds in a row without an answer on a connection that lives

	rest timer // armed while nothing more is put on the connection
}

func (m *Machine) peer(k protocols.Key) *peer {
	p, ok := m.peers[k]
	if ok {
		return p
	}
	p = &peer{key: k}
	p.dialing.fire = func(now time.Time) { m.reach(now, p) }
	p.silence.fire = func(now time.Time) { m.silent(now, p) }
	p.rest.fire = func(now time.Time) { m.pump(now, p) }
	m.peers[k] = p
	return p
}

// forgetIdle drops a peer of whom nothing is known that cannot be learnt again.
func (m *Machine) forgetIdle(p *peer) {
	if p.tracked > 0 || p.up || p.inDial || p.probing {
		return
	}
	m.timers.stop(&p.dialing)
	m.timers.stop(&p.silence)
	m.timers.stop(&p.rest)
	delete(m.peers, p.key)
}

// PeerUp says that a connection to the peer is open, or another one beside those
// that were. If nothing is answered on the older ones, what went there goes out
// again: the peer's process may be a new one, which has never heard of it.
func (m *Machine) PeerUp(now time.Time, k protocols.Key, path Path) {
	p := m.peer(k)
	p.path = path
	if p.up && p.flight.len > 0 && p.lastAnswer.Before(p.flight.first.sentAt) {
		for t := p.flight.first; t != nil; t = t.next {
			t.result("the peer connected anew")
		}
		p.ready.prepend(&p.flight)
		m.timers.stop(&p.silence)
	}
	if !p.up {
		p.fruitful = false
	}
	m.hasten(now, p)
	p.up, p.dials, p.stalls = true, 0, 0
	m.timers.stop(&p.dialing)
	m.timers.stop(&p.rest)
	p.lastAnswer = now
	m.pump(now, p)
}

// PeerDown says that the last connection to the peer is gone. What has no
// receipt goes out again on the next, which is dialled at once, unless the peer
// makes a habit of hanging up.
func (m *Machine) PeerDown(now time.Time, k protocols.Key) {
	p, ok := m.peers[k]
	if !ok {
		return
	}
	p.up = false
	m.timers.stop(&p.silence)
	m.recall(p, "connection lost")
	if p.barren++; p.fruitful {
		p.barren = 0
	}
	if p.barren > 1 && !p.inDial && p.tracked > 0 {
		m.timers.arm(&p.dialing, now.Add(m.backoff(p.barren-1, firstDial)))
		return
	}
	m.reach(now, p)
	m.forgetIdle(p)
}

// LineLost says that the stream to the peer ended: what was not answered on it
// goes out again, and what was taken soon. A stream that ends before anything
// was answered on it is no better than silence.
func (m *Machine) LineLost(now time.Time, k protocols.Key) {
	p, ok := m.peers[k]
	if !ok || !p.up {
		return
	}
	m.hasten(now, p)
	if p.flight.len == 0 {
		return
	}
	fruitless := p.lastAnswer.Before(p.flight.first.sentAt)
	for t := p.flight.first; t != nil; t = t.next {
		t.result("stream lost")
	}
	p.ready.prepend(&p.flight)
	if fruitless {
		p.stalls++
		m.hold(now, p, m.backoff(p.stalls, firstAnswer))
		return
	}
	m.pump(now, p)
}

// hasten brings near the next try of what was taken: the stream may have ended
// because the peer's process did, and with it the receipts it still owed. The
// wait doubles with every try, so a peer that takes all and signs nothing is
// not flooded.
func (m *Machine) hasten(now time.Time, p *peer) {
	for t := p.waiting.first; t != nil; t = t.next {
		if !t.taken {
			continue
		}
		if soon := now.Add(m.backoff(t.tries, firstDial)); soon.Before(t.retry.at) {
			m.timers.arm(&t.retry, soon)
		}
	}
}

// Dialed says how a dial ended. A dial that succeeded is followed by PeerUp.
func (m *Machine) Dialed(now time.Time, k protocols.Key, err error) {
	p, ok := m.peers[k]
	if !ok {
		return
	}
	p.inDial = false
	if p.tracked == 0 {
		m.forgetIdle(p)
		return
	}
	result := "connected"
	if err != nil {
		result = err.Error()
	}
	if len(p.attempts) == maxAttempts {
		p.attempts = p.attempts[1:]
	}
	p.attempts = append(p.attempts, Attempt{At: p.dialedAt, Path: "dial", Result: result})
	if p.up {
		return
	}
	p.dials++
	m.timers.arm(&p.dialing, now.Add(m.backoff(p.dials, firstDial)))
}

// Probed says whether any connection to the peer still lives; the caller has
// closed those that do not.
func (m *Machine) Probed(now time.Time, k protocols.Key, alive bool) {
	p, ok := m.peers[k]
	if !ok {
		return
	}
	p.probing = false
	if !p.up || p.flight.len == 0 {
		m.forgetIdle(p)
		return
	}
	if !alive {
		return // PeerDown follows
	}
	p.stalls++
	if p.stalls < 2 {
		m.timers.arm(&p.silence, now.Add(p.patience()))
		return
	}
	for t := p.flight.first; t != nil; t = t.next {
		t.result("no answer, though the connection lives")
	}
	p.ready.prepend(&p.flight)
	m.hold(now, p, m.backoff(p.stalls-1, firstAnswer))
}

// reach dials the peer if something waits for it and no dial is on its way.
func (m *Machine) reach(now time.Time, p *peer) {
	if p.up || p.inDial || p.tracked == 0 {
		return
	}
	m.timers.stop(&p.dialing)
	p.inDial, p.dialedAt = true, now
	m.ready.Dial = append(m.ready.Dial, p.key)
}

// pump sends what is ready, as far as the window of unanswered envelopes goes.
func (m *Machine) pump(now time.Time, p *peer) {
	if !p.up {
		if p.dialing.index == 0 {
			m.reach(now, p)
		}
		return
	}
	if p.rest.index > 0 {
		return
	}
	var ids []envelope.ID
	for p.ready.first != nil && p.flight.len < windowMessages && p.flight.bytes < windowBytes {
		t := p.ready.first
		t.remove()
		t.sentAt, t.tries = now, t.tries+1
		t.attempt(now, p.path)
		p.flight.pushBack(t)
		ids = append(ids, t.ID)
	}
	if ids != nil {
		m.ready.Transmit = append(m.ready.Transmit, Transmit{Peer: p.key, IDs: ids})
	}
	if p.flight.len > 0 && p.silence.index == 0 && !p.probing {
		m.timers.arm(&p.silence, now.Add(p.patience()))
	}
}

// hold lets the connection to a peer rest.
func (m *Machine) hold(now time.Time, p *peer, d time.Duration) {
	m.timers.stop(&p.silence)
	m.timers.arm(&p.rest, now.Add(d))
}

// silent asks for a probe when nothing was answered for too long. Any answer
// on the connection, whatever it answers, puts this off: a queue that moves
// is no dead path.
func (m *Machine) silent(now time.Time, p *peer) {
	if !p.up || p.flight.len == 0 || p.probing {
		return
	}
	since := p.flight.first.sentAt
	if p.lastAnswer.After(since) {
		since = p.lastAnswer
	}
	if due := since.Add(p.patience()); due.After(now) {
		m.timers.arm(&p.silence, due)
		return
	}
	p.probing = true
	m.ready.Probe = append(m.ready.Probe, p.key)
}

// recall takes back all that has no receipt, in front of what was never sent.
func (m *Machine) recall(p *peer, why string) {
	for t := p.flight.first; t != nil; t = t.next {
		t.result(why)
		t.tries = 0
	}
	for t := p.waiting.first; t != nil; t = t.next {
		m.timers.stop(&t.retry)
		t.tries = 0
	}
	p.ready.prepend(&p.flight)
	p.ready.prepend(&p.waiting)
}

// patience is how long an answer may take before the connection is suspect.
func (p *peer) patience() time.Duration { return max(firstAnswer, 3*p.roundTrip) }

func (p *peer) answered(now time.Time, t *tracked) {
	p.lastAnswer, p.stalls, p.fruitful = now, 0, true
	if took := now.Sub(t.sentAt); took >= 0 {
		p.roundTrip += (took - p.roundTrip) / 8
	}
}

// again is the retry timer of a message: the wait for a prekey is over, or the
// next try is due.
func (m *Machine) again(now time.Time, t *tracked) {
	p := m.peer(t.To)
	if !t.Sealed {
		m.seal(t, !t.DemandsSecrecy)
		return
	}
	t.resealing = false
	t.remove()
	p.ready.pushBack(t)
	m.pump(now, p)
}

// judgeAnswer decides when a message that a peer answered for is tried again.
func (m *Machine) judgeAnswer(now time.Time, t *tracked, a envelope.Answer) {
	if t.resealing {
		return
	}
	t.taken = a.Code == envelope.Taken
	wait := m.backoff(t.tries, firstReceipt)
	switch a.Code {
	case envelope.Taken:
		t.result("taken")
	case envelope.Busy:
		t.reason = "the recipient is busy"
		t.result("busy")
		wait = max(time.Duration(min(a.RetryMillis, uint64(maxRetry.Milliseconds())))*time.Millisecond, time.Second)
	case envelope.Refused:
		if m.refused(now, t, a) {
			return
		}
		wait = m.backoff(t.tries, firstReceipt)
		if a.Reason == envelope.ReasonClock {
			wait = clockWait(t, a, wait)
		}
	default:
		return
	}
	m.timers.arm(&t.retry, now.Add(wait))
}

// refused notes a refusal and ends the message if time will not mend it.
func (m *Machine) refused(now time.Time, t *tracked, a envelope.Answer) (final bool) {
	t.reason = explain(t, a)
	t.result("refused: " + t.reason)
	switch a.Reason {
	case envelope.ReasonConflict, envelope.ReasonPolicy, envelope.ReasonVersion, envelope.ReasonSize:
		m.fail(now, t, Failed, t.reason)
		return true
	}
	return false
}

// clockWait is when a message that is ahead of its recipient's clock will not
// be any more, if that is the trouble and soon.
func clockWait(t *tracked, a envelope.Answer, otherwise time.Duration) time.Duration {
	theirs := time.UnixMilli(int64(min(a.Value, 1<<62)))
	if ahead := t.Created.Sub(theirs) - envelope.ClockSkew; ahead > 0 && ahead < 24*time.Hour {
		return min(ahead+time.Second, maxRetry) // somebody may set it right meanwhile
	}
	return otherwise
}

// explain says what a refusal means in words for the sender.
func explain(t *tracked, a envelope.Answer) string {
	switch a.Reason {
	case envelope.ReasonClock:
		theirs := time.UnixMilli(int64(min(a.Value, 1<<62))).UTC().Format(time.RFC3339)
		return fmt.Sprintf("clocks differ: the recipient's says %s, the message was written at %s; one of the two is wrong",
			theirs, t.Created.UTC().Format(time.RFC3339))
	case envelope.ReasonQuota:
		return "over the recipient's quota"
	case envelope.ReasonNoRoute:
		return "no route"
	case envelope.ReasonConflict:
		return "the recipient holds another message under this id"
	case envelope.ReasonHops:
		return "too many hops"
	case envelope.ReasonPolicy:
		return "the recipient does not take such messages"
	case envelope.ReasonVersion:
		return "the recipient does not know this version of the protocol"
	case envelope.ReasonSize:
		return "too large for the recipient"
	}
	return fmt.Sprintf("reason %d", a.Reason)
}

// backoff doubles from first with every failure, up to maxRetry, and spreads
// by a quarter either way.
func (m *Machine) backoff(failures int, first time.Duration) time.Duration {
	d := maxRetry
	if failures = max(failures, 1); failures <= 12 {
		d = min(first<<(failures-1), maxRetry)
	}
	return d - d/4 + time.Duration(m.rand.Int64N(int64(d/2)+1))
}
