package delivery

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// WrittenVia says that the bytes of a copy have left for the first relay of its
// route.
func (m *Machine) WrittenVia(now time.Time, relay protocols.Key, id envelope.ID) {
	t, ok := m.byID[id]
	if !ok || t.passage == nil {
		return
	}
	if y := t.passage.by(relay); y != nil && y.open && y.rung.last == y {
		y.sentAt = now // the list stays in the order of time
	}
	m.left(now, t)
}

// UnsentVia says that a copy could not be given to the first relay of its route.
func (m *Machine) UnsentVia(now time.Time, relay protocols.Key, id envelope.ID, reason string) {
	t, ok := m.byID[id]
	if !ok || t.passage == nil {
		return
	}
	y := t.passage.by(relay)
	if y == nil || !y.open {
		return
	}
	p := m.peers[t.To]
	y.answered, y.rung.failedAt = true, now
	p.shut(y)
	t.note(y.line, reason)
	m.tally[WayRelays].Fates[FateSilence]++
	m.judge(y.rung, Outcome{To: t.To, Took: now.Sub(y.sentAt)})
	m.back(now, p, t)
}

// back lets a message go on whose copy has failed, unless another is under way.
func (m *Machine) back(now time.Time, p *peer, t *tracked) {
	var back queue
	m.release(p, t, &back)
	p.ready.prepend(&back)
	m.pump(now, p)
}

// passed takes the answer of a relay that was given a copy. Others are ignored.
func (m *Machine) passed(now time.Time, k protocols.Key, t *tracked, a envelope.Answer) {
	if t.passage == nil {
		return
	}
	y := t.passage.by(k)
	if y == nil {
		return
	}
	p := m.peers[t.To]
	m.heard(now, p, y)
	m.judge(y.rung, Outcome{To: t.To, Code: a.Code, Reason: a.Reason, Took: now.Sub(y.sentAt)})
	switch a.Code {
	case envelope.Taken:
		m.takenByRelay(now, p, y)
	case envelope.Stored:
		m.keptByRelay(now, p, y)
	case envelope.Busy:
		y.rung.failedAt = now
		m.tally[WayRelays].Fates[FateBusy]++
		t.reason = "the relay is busy"
		t.note(y.line, "busy")
		m.back(now, p, t)
	default:
		y.rung.failedAt = now
		m.tally[WayRelays].Fates[FateRefused]++
		t.reason = "relays refused it: " + a.Reason.String()
		t.note(y.line, "refused: "+a.Reason.String())
		m.back(now, p, t)
	}
}

// heard notes that a relay has answered for a copy.
func (m *Machine) heard(now time.Time, p *peer, y *try) {
	y.answered = true
	r := y.rung
	r.lastAnswer, r.doubted = now, false
	r.relay.roundTrip = smooth(r.relay.roundTrip, max(now.Sub(y.sentAt), 0))
	p.shut(y)
}

// takenByRelay notes that a relay has the message. That is no promise: without
// a receipt, the message goes another way a little later.
func (m *Machine) takenByRelay(now time.Time, p *peer, y *try) {
	t := y.t
	m.tally[WayRelays].Fates[FateTaken]++
	y.rung.failedAt = time.Time{}
	t.note(y.line, "taken")
	m.reached(now, p)
	if t.State < Relayed {
		t.State, t.at = Relayed, now
		m.changed(now, t)
	}
	switch t.in {
	case &p.flight: // it was the scout of a silent connection
		t.passage.taken = y
		m.doubtLine(now, p)
		if t.in == &p.flight {
			t.passage.taken = nil // which is silent no more
		}
	case &p.ready, &p.spent:
		t.remove()
		p.passing.pushBack(t)
		t.passage.taken = y
	case &p.passing:
		t.passage.taken = y
	}
	if t.passage.taken == y {
		t.reason = ""
		m.timers.arm(&t.retry, now.Add(max(m.backoff(t.passage.rounds+1, relayReceipt), 3*y.rung.relay.roundTrip)))
	}
	m.pump(now, p)
}

// keptByRelay notes that a relay could not pass the message on and keeps it for
// its recipient. Other ways are tried as if it had refused.
func (m *Machine) keptByRelay(now time.Time, p *peer, y *try) {
	t := y.t
	m.tally[WayRelays].Fates[FateTaken]++
	y.rung.failedAt = now
	t.reason = "the recipient is away; a relay keeps it"
	t.note(y.line, "kept there")
	if t.State < Relayed {
		t.State, t.at = Relayed, now
		m.changed(now, t)
	}
	m.back(now, p, t)
}

// reached notes that a copy got through.
func (m *Machine) reached(now time.Time, p *peer) {
	p.rounds, p.reachedAt = 0, now
	p.window = min(p.window+1, relayWindow)
	m.abandon(now, p)
}

// vain notes that a relay took the message and its recipient did not sign for
// it: another path is tried.
func (m *Machine) vain(now time.Time, t *tracked) {
	y, p := t.passage, m.peers[t.To]
	p.doubted, p.fooledAt = false, now
	m.tally[WayRelays].Fates[FateSilence]++
	m.judge(y.taken.rung, Outcome{To: t.To, Lost: true, Took: now.Sub(y.taken.sentAt)})
	t.note(y.taken.line, "taken, but no receipt came")
	y.taken.rung.failedAt = now
	y.taken, y.vain = nil, true
}

// receiptVia notes that the recipient signed for a message that went over
// relays.
func (m *Machine) receiptVia(now time.Time, p *peer, t *tracked) {
	by := t.passage.taken
	if by == nil && t.passage.open == 1 && t.in == &p.passing {
		by = t.passage.tries[slices.IndexFunc(t.passage.tries, func(y *try) bool { return y.open })]
	}
	switch {
	case by == nil:
	case t.held > 0:
		m.doubtRelay(now, t, by)
	default:
		m.credit(now, p, t, by)
	}
	m.reached(now, p)
	if t.in == &p.flight {
		m.doubtLine(now, p)
	}
}

// credit notes that a receipt is a relay's work. It is as good as the relay's
// answer, if only this one had the message.
func (m *Machine) credit(now time.Time, p *peer, t *tracked, by *try) {
	took := now.Sub(by.sentAt)
	if by.open {
		m.heard(now, p, by)
		m.tally[WayRelays].Fates[FateTaken]++
		m.judge(by.rung, Outcome{To: t.To, Code: envelope.Taken, Took: took})
	}
	m.judge(by.rung, Outcome{To: t.To, Receipt: true, Took: took})
}

// doubtRelay judges a relay that took a message which holders had too. The
// receipt proves nothing of it; and if it took long, they were who brought it:
// a relay answers with what the recipient has answered, whose receipt is on its
// way by then. (One that has not answered yet is dealt with by abandon.)
func (m *Machine) doubtRelay(now time.Time, t *tracked, by *try) {
	took := now.Sub(by.sentAt)
	if by.open || took <= max(placeWait/2, 3*by.rung.relay.roundTrip) {
		return
	}
	by.rung.failedAt = now
	m.judge(by.rung, Outcome{To: t.To, Lost: true, Took: took})
}
