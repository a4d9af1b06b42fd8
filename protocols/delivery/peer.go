package delivery

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// peer is a recipient: how it is reached, and what waits for it.
type peer struct {
	key     protocols.Key
	up      bool
	path    Path  // of the best connection
	circuit Route // the relay it goes through
	line    int   // counts the connections and streams that were lost or replaced
	tracked int   // messages for it in the machine

	unsealed queue // waiting for a prekey
	ready    queue // to go out as soon as a path takes them
	flight   queue // sent over the connection, by time, and not answered
	waiting  queue // answered; for a receipt or the next try

	ladder // over relays

	dialing  timer // armed between two dials
	inDial   bool
	dialedAt time.Time // when the newest dial began
	dials    int       // failed in a row
	barren   int       // connections in a row on which nothing was answered
	fruitful bool      // something was answered since the peer came up
	attempts []Attempt

	silence    timer // for an answer on the open connection
	lastAnswer time.Time
	roundTrip  time.Duration // smoothed, from written to answered; zero if not known
	probing    bool
	stalls     int  // rounds in a row without an answer on a connection that lives
	scouted    bool // since the last answer
	scoutRoom  int  // what scouts may cost, in tenths of a message
	doubted    bool // silent, while relays reach the peer: it is given nothing
	doubtedAt  time.Time
	fooledAt   time.Time // a relay took what never arrived
	movedAt    time.Time // another connection took over, and what is older was not answered yet

	receiptTrip time.Duration // smoothed, from written to the receipt
	receiptedTo uint64        // the newest message that was signed for
	departures  uint64        // over connections
	lastReceipt time.Time

	awaited int   // messages for it that do not just carry receipts
	watched bool  // so the caller was told
	calm    timer // armed while it is watched: nothing may wait for it any more

	lookingUp  bool // its prekeys
	lookedUpAt time.Time

	unplaced []*tracked // sealed, and not with holders
	placing  timer      // until they are

	rest timer // armed while nothing more is put on the connection
}

func (m *Machine) peer(k protocols.Key) *peer {
	p, ok := m.peers[k]
	if ok {
		return p
	}
	p = &peer{key: k, scoutRoom: scoutBurst}
	p.window = firstWindow
	p.dialing.fire = func(now time.Time) { m.reach(now, p) }
	p.silence.fire = func(now time.Time) { m.silent(now, p) }
	p.placing.fire = func(now time.Time) { m.place(now, p) }
	p.rest.fire = func(now time.Time) { m.pump(now, p) }
	p.clock.fire = func(now time.Time) { m.tend(now, p) }
	p.calm.fire = func(now time.Time) { m.relax(now, p) }
	m.peers[k] = p
	return p
}

// forgetIdle drops a peer of whom nothing is known that cannot be learnt again.
func (m *Machine) forgetIdle(p *peer) {
	if p.tracked > 0 || p.up || p.inDial || p.probing || p.lookingUp {
		return
	}
	for _, t := range []*timer{&p.dialing, &p.silence, &p.rest, &p.clock, &p.calm, &p.placing} {
		m.timers.stop(t)
	}
	p.keepRungs(nil)
	m.unwatch(p)
	delete(m.peers, p.key)
}

// calmAfter is about how long a peer is watched after the last message for it.
const calmAfter = 10 * time.Second

// await has the peer watched while a message of a user's waits for it.
func (m *Machine) await(p *peer, msg *Message) {
	if msg.Control {
		return
	}
	if p.awaited++; p.watched {
		return
	}
	p.watched = true
	m.ready.Watch = append(m.ready.Watch, Watch{Peer: p.key, Waiting: true})
	m.timers.arm(&p.calm, msg.Created.Add(calmAfter))
}

// relax ends the watch if nothing waits for the peer: not after each message of
// a conversation.
func (m *Machine) relax(now time.Time, p *peer) {
	if p.awaited > 0 {
		m.timers.arm(&p.calm, now.Add(calmAfter))
		return
	}
	m.unwatch(p)
}

func (m *Machine) unwatch(p *peer) {
	if p.watched {
		p.watched = false
		m.ready.Watch = append(m.ready.Watch, Watch{Peer: p.key})
	}
}

// PeerUp says that a connection to the peer is open, or another one beside those
// that were; path is how the best one goes. If nothing is answered on the older
// ones, what went there goes out again: the peer's process may be a new one,
// which has never heard of it.
func (m *Machine) PeerUp(now time.Time, k protocols.Key, path Path) {
	p := m.peer(k)
	again := p.up
	m.hasten(now, p)
	p.up, p.path, p.dials, p.stalls, p.doubted = true, path, 0, 0, false
	p.headStart = time.Time{}
	m.timers.stop(&p.dialing)
	m.timers.stop(&p.rest)
	if again {
		m.moved(now, p)
	} else {
		p.fruitful, p.scouted, p.lastAnswer = false, false, now
		m.freed(p)
	}
	p.ready.prepend(&p.unfit)
	p.ready.prepend(&p.spent)
	m.pump(now, p)
}

// moved has what is not answered on an older connection go out again, once that
// has had the time to answer.
func (m *Machine) moved(now time.Time, p *peer) {
	if p.flight.len == 0 || !p.lastAnswer.Before(p.flight.first.sentAt) {
		return
	}
	p.movedAt = now
	m.timers.arm(&p.silence, later(now, p.flight.first.sentAt.Add(p.delay())))
}

// overtaken sends again what went out before the peer connected anew and was
// not answered on the old connection.
func (m *Machine) overtaken(now time.Time, p *peer) {
	var old queue
	for t := p.flight.first; t != nil && !t.sentAt.After(p.movedAt); t = p.flight.first {
		t.remove()
		old.pushBack(t)
	}
	p.movedAt = time.Time{}
	p.line++
	m.takeBack(p, &old, "the peer connected anew")
	p.lastAnswer = now
	m.pump(now, p)
}

// freed lets go over the connection, which was not there, what waits for a
// receipt that did not come by relays, or is with relays that are silent.
func (m *Machine) freed(p *peer) {
	for t := p.waiting.first; t != nil; {
		next := t.next
		if !t.taken {
			m.timers.stop(&t.retry)
			t.remove()
			p.ready.pushBack(t)
		}
		t = next
	}
	m.descend(p)
}

// PeerDown says that the last connection to the peer is gone. What has no
// receipt goes out again on the next, which is dialled at once, unless the peer
// makes a habit of hanging up.
func (m *Machine) PeerDown(now time.Time, k protocols.Key) {
	p, ok := m.peers[k]
	if !ok {
		return
	}
	p.up, p.doubted, p.movedAt = false, false, time.Time{}
	p.line++
	m.timers.stop(&p.silence)
	m.recall(now, p, "connection lost")
	if p.barren++; p.fruitful {
		p.barren = 0
	}
	if p.barren > 1 && !p.inDial && p.tracked > 0 {
		m.timers.arm(&p.dialing, now.Add(m.backoff(p.barren-1, firstDial)))
	}
	m.pump(now, p)
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
	p.line++
	if p.flight.len == 0 {
		return
	}
	fruitless := p.lastAnswer.Before(p.flight.first.sentAt)
	m.takeBack(p, &p.flight, "stream lost")
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
	if err != nil {
		p.headStart = time.Time{}
		m.ascend(now, p)
	}
}

// reach dials the peer if something waits for it and no dial is on its way. Of
// a peer that may well be in reach, relays hear a little later.
func (m *Machine) reach(now time.Time, p *peer) {
	if p.up || p.inDial || p.tracked == 0 {
		return
	}
	m.timers.stop(&p.dialing)
	p.inDial, p.dialedAt, p.none = true, now, false
	m.ready.Dial = append(m.ready.Dial, p.key)
	m.lookUp(now, p)
	if p.dials == 0 && now.Sub(p.reachedAt) > reachedLife {
		p.headStart = now.Add(rungDelay)
	}
	m.ascend(now, p)
}

// recall takes back all that has no receipt, in front of what was never sent.
// What a relay took besides may be signed for on that way: for a while.
func (m *Machine) recall(now time.Time, p *peer, why string) {
	for t := p.flight.first; t != nil; t = t.next {
		t.tries = 0
	}
	for t := p.waiting.first; t != nil; {
		next := t.next
		m.timers.stop(&t.retry)
		t.tries = 0
		if t.passage != nil && t.passage.taken != nil {
			t.remove()
			p.passing.pushBack(t)
			m.timers.arm(&t.retry, now.Add(relayReceipt))
		}
		t = next
	}
	p.ready.prepend(&p.unfit)
	m.takeBack(p, &p.flight, why)
	p.ready.prepend(&p.waiting)
}

// takeBack moves what went out to the front of what is ready, but for what is
// also in the hands of relays.
func (m *Machine) takeBack(p *peer, q *queue, why string) {
	var back queue
	for t := q.first; t != nil; t = q.first {
		t.remove()
		t.result(why)
		m.tally[p.way()].Fates[FateSilence]++
		if t.under() {
			p.passing.pushBack(t)
		} else {
			back.pushBack(t)
		}
	}
	p.ready.prepend(&back)
}

// nextTry is when the next dial or round over relays is due for a message, zero
// if none is.
func (p *peer) nextTry(t *tracked) (at time.Time) {
	if !p.up && p.dialing.index > 0 {
		at = p.dialing.at
	}
	if t.in == &p.spent && (at.IsZero() || p.from.Before(at)) {
		at = p.from
	}
	return at
}
