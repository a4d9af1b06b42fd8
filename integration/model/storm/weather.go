package storm

import (
	"slices"
	"time"
)

// Storm is what happens to a world.
type Storm struct {
	Messages   int
	Over       time.Duration // in which they are sent, and all the rest happens
	Deaths     int           // of nodes for good
	Restless   int           // nodes that leave and return
	Partitions int
	// Together is how many nodes may leave or die within one Interval.
	Together int
	Interval time.Duration
}

// Unleash puts all that is to happen into the world's time.
func (w *World) Unleash(s Storm) {
	for range s.Messages {
		w.after(w.between(0, s.Over), w.someMessage)
	}
	order := w.rand.Perm(len(w.nodes))
	departures := &pacer{w: w, storm: s}
	for _, i := range order[:s.Deaths] {
		w.after(w.between(0, s.Over), func() { departures.next(w.nodes[i].die) })
	}
	for _, i := range order[s.Deaths:][:s.Restless] {
		w.restless(w.nodes[i], departures, w.now.Add(s.Over))
	}
	for range s.Partitions {
		w.after(w.between(0, s.Over-time.Hour), w.partition)
	}
}

// someMessage is from a node that is up, more often than not to one that is
// away.
func (w *World) someMessage() {
	from := w.nodes[w.rand.IntN(len(w.nodes))]
	for !from.up {
		from = w.nodes[w.rand.IntN(len(w.nodes))]
	}
	to := w.nodes[w.rand.IntN(len(w.nodes))]
	for tries := 0; to == from || reach(from, to) && tries < 8 && w.rand.IntN(2) == 0; tries++ {
		to = w.nodes[w.rand.IntN(len(w.nodes))]
	}
	w.Send(from, to)
}

// pacer lets no more nodes depart within an interval than the rules have it.
type pacer struct {
	w     *World
	storm Storm
	last  []time.Time // of the newest departures
}

// next has a node depart as soon as the rules allow it.
func (p *pacer) next(depart func()) {
	if len(p.last) == p.storm.Together {
		if wait := p.last[0].Add(p.storm.Interval).Sub(p.w.now); wait > 0 {
			p.w.after(wait, func() { p.next(depart) })
			return
		}
		p.last = p.last[1:]
	}
	p.last = append(p.last, p.w.now)
	depart()
}

// restless has a node leave and return until the storm is over; then it stays.
func (w *World) restless(n *Node, departures *pacer, until time.Time) {
	w.after(w.between(time.Minute, 80*time.Minute), func() {
		if n.dead || !w.now.Before(until) {
			return
		}
		departures.next(n.stop)
		w.after(w.between(time.Minute, 50*time.Minute), func() {
			n.start()
			w.restless(n, departures, until)
		})
	})
}

// partition puts some nodes on a side of their own, for a while.
func (w *World) partition() {
	for _, n := range w.nodes {
		if n.side != 0 {
			return // one at a time
		}
	}
	share := 0.1 + 0.4*w.rand.Float64()
	for _, n := range w.nodes {
		if w.rand.Float64() < share {
			n.side = 1
		}
	}
	w.note('p')
	for _, n := range w.nodes {
		for _, p := range slices.Clone(n.peers) {
			if p.side != n.side {
				w.lost(n, p)
			}
		}
	}
	w.after(w.between(5*time.Minute, 40*time.Minute), w.heal)
}

func (w *World) heal() {
	w.note('h')
	w.healed = w.now
	for _, n := range w.nodes {
		n.side = 0
	}
	for _, n := range w.nodes {
		if n.up {
			n.later(w.between(0, 10*time.Second), n.comeBack)
		}
	}
}

// sample is how often Watch looks, and patience how long a recipient may be
// online on a side with a copy and not have it.
const (
	sample   = 10 * time.Second
	patience = time.Minute
	settling = time.Minute // after a partition, until those who had made copies unknown to each other have let go
)

// Watch looks after what was promised, until the world has no more to do.
func (w *World) Watch() {
	sides := make(map[int]set)
	for _, n := range w.nodes {
		if _, ok := sides[n.side]; n.up && !ok {
			sides[n.side] = w.sideOf(n)
		}
	}
	dead := w.dead()
	for _, m := range w.all {
		if !m.done {
			w.check(m, sides, dead)
		}
	}
	w.after(sample, w.Watch)
}

// check holds one message against the promise.
func (w *World) check(m *Message, sides map[int]set, dead set) {
	from, to := w.byKey[m.From], w.byKey[m.To]
	if to.inbox[m.Digest] > 0 || to.dead || w.now.After(m.End) {
		m.done = true
		return
	}
	for _, side := range sides {
		if w.now.Sub(w.healed) > settling {
			w.Peak = max(w.Peak, m.copies.and(side).count())
		}
	}
	w.Spread = max(w.Spread, m.copies.without(dead).count())
	if m.copies.without(dead).empty() && from.dead {
		if m.Stored {
			m.Lost = true
		}
		m.done = true
		return
	}
	there := to.up && (!m.copies.and(sides[to.side]).empty() || reach(from, to))
	if !there || !m.Stored && from.dead {
		m.within = 0
		return
	}
	if m.within++; time.Duration(m.within-1)*sample > patience {
		w.fault("message from %d to %d was not received, %v after it could have been (stored %v, copies %v)",
			from.index, to.index, patience, m.Stored, m.copies)
		m.done = true
	}
}

// Outcome sums a world up.
type Outcome struct {
	Messages, Received, Stored, Delivered, Lost int
	Receipts                                    int // envelopes that only carried receipts
	Left                                        int // copies that are on any disk
	Tombs                                       int // receipts that are on any disk
	Books                                       int // envelopes in any keeper's books
	Peak                                        int // the most nodes that held one message and could reach each other
	Spread                                      int // same, with those that were cut off or away, and would come back
}

// Outcome counts.
func (w *World) Outcome() (o Outcome) {
	for _, m := range w.all {
		if m.Receipts != nil {
			o.Receipts++
			continue
		}
		o.Messages++
		o.Received += toInt(!m.Received.IsZero())
		o.Stored += toInt(m.Stored)
		o.Delivered += toInt(m.Delivered)
		o.Lost += toInt(m.Lost)
	}
	for _, n := range w.nodes {
		for _, r := range n.copies {
			if r.receipt == nil {
				o.Left++
			} else {
				o.Tombs++
			}
		}
		if n.up {
			u := n.keeper.Usage()
			o.Books += u.Copies + u.Ended
		}
	}
	o.Peak, o.Spread = w.Peak, w.Spread
	return o
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Calm lets time pass until the life of all that was ever sent has ended.
func (w *World) Calm() {
	for {
		end := w.all[len(w.all)-1].End.Add(time.Second)
		if !w.now.Before(end) {
			return
		}
		w.Run(end.Sub(w.now))
	}
}
