package delivery

import "time"

// listen gives up copies that the relay has not answered for, and doubts a rung
// that is silent.
func (m *Machine) listen(now time.Time, p *peer, r *rung) {
	var back queue
	silent := false
	for y := r.first; y != nil && !y.sentAt.Add(hopTimeout).After(now); y = r.first {
		silent = silent || r.lastAnswer.Before(y.sentAt)
		m.giveUp(p, y, &back)
	}
	if silent {
		r.failedAt = now
		m.judge(r, Outcome{To: p.key, Took: hopTimeout})
	}
	p.ready.prepend(&back)
	if r.first == nil {
		r.doubted = false
		return
	}
	if r.doubted || r.doubtAt().After(now) {
		return
	}
	r.doubted, r.failedAt = true, now
	p.scouts = append(p.scouts, r.first.t)
	m.descend(p)
}

// descend lets what is on rungs in doubt go over the connection, if that is one.
func (m *Machine) descend(p *peer) {
	if p.blocked() {
		return
	}
	var back queue
	for t := p.passing.first; t != nil; {
		next := t.next
		if !t.under() {
			t.remove()
			back.pushBack(t)
		}
		t = next
	}
	p.ready.prepend(&back)
	p.scouts = nil
}

// giveUp stops waiting for the answer to a copy. A message that waits for
// nothing else goes to back.
func (m *Machine) giveUp(p *peer, y *try, back *queue) {
	m.tally[WayRelays].Fates[FateSilence]++
	p.shut(y)
	y.t.note(y.line, "no answer")
	m.release(p, y.t, back)
}

// release puts a message into back that waits for nothing on its relays.
func (m *Machine) release(p *peer, t *tracked, back *queue) {
	if t.in != &p.passing || t.passage.open > 0 || t.passage.taken != nil {
		return
	}
	t.remove()
	back.pushBack(t)
}

// abandon takes back what is on the rungs in doubt, for there is a better one.
func (m *Machine) abandon(now time.Time, p *peer) {
	for _, r := range p.rungs {
		if !r.doubted || r.first == nil {
			continue
		}
		m.judge(r, Outcome{To: p.key, Took: now.Sub(r.first.sentAt)})
		var back queue
		for y := r.first; y != nil; {
			next := y.next
			if y.t.in == &p.passing && y.t.passage.taken == nil {
				m.giveUp(p, y, &back)
			}
			y = next
		}
		p.ready.prepend(&back)
	}
}

// judge hands over evidence on the relay that a rung begins with.
func (m *Machine) judge(r *rung, o Outcome) {
	m.ready.Judged = append(m.ready.Judged, Judgement{Via: r.relay.key, Outcome: o})
}
