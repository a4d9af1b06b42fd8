package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// PeerUp says that a peer is connected. If mail is held for it, it gets it from
// the first of the holders by rank at once, from the others a little later,
// unless its receipts come first.
func (k *Keeper) PeerUp(now time.Time, p protocols.Key) {
	k.up[p] = struct{}{}
	if f, ok := k.fellows[p]; ok && f.misses > 0 {
		k.timers.Hasten(&f.watch, now)
	}
	m, ok := k.mails[p]
	if !ok {
		return
	}
	if !m.up {
		for _, e := range m.entries {
			e.pushed = time.Time{}
		}
	}
	m.up, m.pushes, m.seeks = true, 0, 0
	k.timers.Stop(&m.seek)
	k.pushSoon(now, m)
}

// PeerDown says that the last connection to a peer is gone: a fellow that does
// not come back is noticed the sooner.
func (k *Keeper) PeerDown(now time.Time, p protocols.Key) {
	delete(k.up, p)
	if f, ok := k.fellows[p]; ok && !f.dead() && !f.asked {
		k.timers.Hasten(&f.watch, now.Add(k.spread(answerTime)))
	}
	if m, ok := k.mails[p]; ok {
		m.up = false
		k.timers.Stop(&m.push)
		k.timers.Arm(&m.seek, now.Add(k.spread(seekFirst)))
	}
}

// pushSoon arms the next push of a recipient's mail.
func (k *Keeper) pushSoon(now time.Time, m *mail) {
	for _, e := range m.entries {
		if e.is == held {
			k.timers.Hasten(&m.push, now.Add(time.Duration(k.before(e))*pushTurn))
			return
		}
	}
}

func (k *Keeper) pushMail(now time.Time, m *mail) {
	if !m.up {
		return
	}
	var all []envelope.Digest
	left := false
	for _, e := range m.entries {
		left = left || e.is == held
		if e.is == held && now.Sub(e.pushed) >= pushAgain/2 {
			e.pushed = now
			all = append(all, e.Digest)
		}
	}
	if all != nil {
		k.ready.Push = append(k.ready.Push, Push{To: m.to, Digests: all})
	}
	if !left {
		return
	}
	m.pushes++
	k.timers.Arm(&m.push, now.Add(k.backoff(m.pushes, pushAgain)))
}

// seek has the recipient of mail looked for, ever more rarely, if that is for
// this node to do: for the first of the holders that live.
func (k *Keeper) seek(now time.Time, m *mail) {
	first, any := false, false
	for _, e := range m.entries {
		if e.is == held {
			any = true
			if first = k.before(e) == 0; first {
				break
			}
		}
	}
	if m.up || !any {
		return
	}
	if first {
		k.ready.Seek = append(k.ready.Seek, m.to)
	}
	wait := seekMax
	if m.seeks++; m.seeks < 6 {
		wait = min(seekFirst<<(m.seeks-1), seekMax)
	}
	k.timers.Arm(&m.seek, now.Add(k.spread(wait)))
}

// seekSoon has recipients looked for soon, for something has changed.
func (k *Keeper) seekSoon(now time.Time, m *mail) {
	if !m.up {
		m.seeks = 0
		k.timers.Hasten(&m.seek, now.Add(k.spread(seekSoon)))
	}
}
