package delivery

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// unsentHold is how long a connection that would not take an envelope rests.
const unsentHold = 20 * time.Millisecond

// A scout may go out when a connection is silent, as often as scoutBurst allows
// for, and then one for every ten messages that went over the connection.
const (
	scoutPrice = 10
	scoutBurst = 3 * scoutPrice
)

// pump sends what is ready, as far as the window of unanswered envelopes goes.
// Without a connection it dials, and the ladder is climbed.
func (m *Machine) pump(now time.Time, p *peer) {
	if !p.up && p.dialing.index == 0 {
		m.reach(now, p)
	}
	if p.blocked() || p.rest.index > 0 {
		m.ascend(now, p)
		return
	}
	var ids []envelope.ID
	for p.ready.first != nil && p.flight.len < windowMessages && p.flight.bytes < windowBytes {
		t := p.ready.first
		t.remove()
		p.flight.pushBack(t)
		if t.line == p.line+1 {
			continue // it is on this very connection already
		}
		m.depart(now, p, t)
		ids = append(ids, t.ID)
	}
	if ids != nil {
		m.ready.Transmit = append(m.ready.Transmit, Transmit{Peer: p.key, IDs: ids})
	}
	if p.flight.len > 0 && p.silence.index == 0 && !p.probing {
		m.timers.arm(&p.silence, now.Add(p.delay()))
	}
	if p.climbing() {
		m.ascend(now, p)
	}
}

// depart notes that a message goes out over the connection.
func (m *Machine) depart(now time.Time, p *peer, t *tracked) {
	p.departures++
	t.sentAt, t.tries, t.line, t.order = now, t.tries+1, p.line+1, p.departures
	a := Attempt{At: now, Path: p.path.String(), Transport: p.path.Transport}
	if p.path.Relayed && p.path.Via != (protocols.Key{}) {
		a.Via = p.route()
	}
	t.own = t.attempt(a)
	p.scoutRoom = min(p.scoutRoom+1, scoutBurst)
	m.departs(t, p.way())
}

// route is the relay that the connection goes through, one slice for all that
// is sent over it.
func (p *peer) route() Route {
	if len(p.circuit) == 0 || p.circuit[0] != p.path.Via {
		p.circuit = Route{p.path.Via}
	}
	return p.circuit
}

// hold lets the connection to a peer rest.
func (m *Machine) hold(now time.Time, p *peer, d time.Duration) {
	m.timers.stop(&p.silence)
	m.timers.arm(&p.rest, now.Add(d))
	m.ascend(now, p)
}

// silent has a scout go over relays when nothing was answered for longer than
// answers take, and asks for a probe a little later. Any answer on the
// connection, whatever it answers, puts this off: a queue that moves is no dead
// path.
func (m *Machine) silent(now time.Time, p *peer) {
	if !p.up || p.flight.len == 0 || p.probing {
		return
	}
	if first := p.flight.first.sentAt; !p.movedAt.IsZero() && !first.After(p.movedAt) && p.lastAnswer.Before(first) {
		m.overtaken(now, p)
		return
	}
	since := p.silentAt()
	if due := since.Add(p.delay()); due.After(now) {
		m.timers.arm(&p.silence, due)
		return
	}
	m.scout(now, p)
	if due := since.Add(p.patience()); due.After(now) {
		m.timers.arm(&p.silence, due)
		return
	}
	p.probing = true
	m.ready.Probe = append(m.ready.Probe, p.key)
}

// scout has the oldest message that is not answered go ahead over relays, once.
func (m *Machine) scout(now time.Time, p *peer) {
	if p.scouted || p.scoutRoom < scoutPrice {
		return
	}
	p.scouted = true
	p.scoutRoom -= scoutPrice
	p.scouts = append(p.scouts, p.flight.first)
	m.ascend(now, p)
}

// doubtLine turns to the relays, which reach the recipient while its connection
// is silent. One that never answered may be slow: the probe will tell.
func (m *Machine) doubtLine(now time.Time, p *peer) {
	if !p.up || p.doubted || p.roundTrip == 0 || p.flight.first == nil {
		return
	}
	if now.Sub(p.fooledAt) < fooledLife || now.Before(p.silentAt().Add(p.delay())) {
		return
	}
	p.doubted, p.doubtedAt = true, now
	p.scoutRoom = min(p.scoutRoom+scoutPrice, scoutBurst)
	m.takeBack(p, &p.flight, "no answer")
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
	p.line++
	m.takeBack(p, &p.flight, "no answer, though the connection lives")
	m.hold(now, p, m.backoff(p.stalls-1, firstAnswer))
}

// silentAt is since when nothing was answered of what was to be.
func (p *peer) silentAt() time.Time { return later(p.flight.first.sentAt, p.lastAnswer) }

// delay is the head start of the connection over relays.
func (p *peer) delay() time.Duration {
	if p.roundTrip == 0 {
		return unknownDelay
	}
	return max(rungDelay, 3*p.roundTrip)
}

// patience is how long an answer may take before the connection is suspect.
func (p *peer) patience() time.Duration { return max(firstAnswer, 3*p.roundTrip) }

func (p *peer) answered(now time.Time, t *tracked) {
	p.lastAnswer, p.stalls, p.fruitful = now, 0, true
	p.scouted, p.doubted = false, false
	if took := now.Sub(t.sentAt); took >= 0 {
		p.roundTrip = smooth(p.roundTrip, took)
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
	if at := p.owed(t); at.After(now) {
		m.timers.arm(&t.retry, at)
		return
	}
	if t.passage != nil && t.passage.taken != nil {
		m.vain(now, t)
	}
	t.resealing = false
	t.remove()
	p.ready.pushBack(t)
	t.line = 0
	m.pump(now, p)
}

// owed is when a message that its recipient took is due again: not while
// receipts come in and it is not its turn yet, but at most for thrice as long
// as they take.
func (p *peer) owed(t *tracked) time.Time {
	if !t.taken || !p.up || p.receiptedTo > t.order {
		return time.Time{}
	}
	at := p.lastReceipt.Add(firstReceipt)
	if limit := t.sentAt.Add(3 * max(p.receiptTrip, firstReceipt)); limit.Before(at) {
		return limit
	}
	return at
}
