package delivery

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// The ladder is the race of a message's paths. Its first rung is the open
// connection to the recipient, or, where there is none, the dial; the next are
// chains of relays, in the order they are ranked. A rung has a head start over
// the next; what is answered on it, to whatever message, holds the next one
// back. When a rung falls silent, one message goes ahead by the next, as a
// scout; only if the scout gets through, the others follow: so a burst is not
// multiplied by a path that is slow. A chain takes each message once a round;
// rounds that reach nobody are ever further apart, and begin with one message.

// Timing of the ladder.
const (
	rungDelay    = 250 * time.Millisecond // head start of a rung, at least
	unknownDelay = time.Second            // head start of a connection whose answer time is not known
	hopTimeout   = 3 * time.Second        // silence of a relay that counts as a failure; it answers within two
	relayReceipt = 3 * time.Second        // from a relay's "taken" to the next try, if no receipt came
	firstRound   = 2 * time.Second        // between the first two rounds over relays
	newsGap      = time.Second            // between two looks at new routes
	freshRound   = 5 * time.Second        // a new message need not wait longer for the next round
	reachedLife  = 5 * time.Minute        // how long relays need no head start who reached the recipient
	failedLife   = time.Minute            // how long a rung that failed comes last
	doubtLife    = 10 * time.Second       // how long a silent connection is left for relays, before it is tried again
	fooledLife   = time.Minute            // how long relays are not believed that they do better, after they did not
	crowdHold    = 50 * time.Millisecond  // how long a relay rests that has its fill
)

// Bounds of the ladder.
const (
	maxRoute      = envelope.MaxHops
	maxRungs      = 4       // of one round
	maxRelays     = 256     // of which an answer time is remembered
	firstWindow   = 8       // copies to one recipient not answered, at first
	relayWindow   = 256     // the same, once copies get through
	windowRelayed = 1 << 20 // the same, in bytes
	relayMessages = 512     // copies that one relay has not answered for
	relayBytes    = 2 << 20 // the same, in bytes
)

// ladder is what a recipient's messages know of their way over relays.
type ladder struct {
	rungs     []*rung
	clock     timer     // the next thing due
	from      time.Time // the next round begins
	headStart time.Time // of the dial, till then
	endedAt   time.Time // the newest round that reached nobody
	round     int
	rounds    int        // in a row that reached nobody
	window    int        // copies that may be open: it grows with each that gets through
	open      int        // copies neither answered nor given up
	openBytes int        // the same, in bytes
	scouts    []*tracked // to go ahead by one rung more
	reachedAt time.Time  // relays reached the recipient, or it reached us by them

	asking  bool // for routes
	size    int  // of the envelope they were asked for
	none    bool // there were none
	crowded bool // a relay had its fill

	passing queue // with relays
	spent   queue // refused by all of this round
	unfit   queue // more than the connection's relay lets through
}

// RouteRequest asks for the routes to a recipient.
type RouteRequest struct {
	To   protocols.Key
	Size int // of the envelope, in bytes
}

// Judgement is evidence of what a relay did with an envelope.
type Judgement struct {
	Via protocols.Key
	Outcome
}

// blocked says that the connection is no way to go now.
func (p *peer) blocked() bool { return !p.up || p.doubted || p.stalls > 0 && p.rest.index > 0 }

// climbing says that something is on the ladder, or will be.
func (p *peer) climbing() bool {
	return p.unfit.first != nil || p.spent.first != nil || p.open > 0 || len(p.scouts) > 0
}

// free says that one more copy may go over relays.
func (p *peer) free() bool { return p.open < p.window && p.openBytes < windowRelayed }

// climber is the next message that has to go over relays now, nil if none.
func (p *peer) climber(now time.Time) *tracked {
	for len(p.scouts) > 0 {
		if t := p.scouts[0]; t.in != nil && !t.State.Final() {
			return t
		}
		p.scouts = p.scouts[1:]
	}
	if p.none || p.crowded || !p.free() {
		return nil
	}
	if p.unfit.first != nil {
		return p.unfit.first
	}
	if p.blocked() && !now.Before(p.from) && !now.Before(p.headStart) {
		return p.ready.first
	}
	return nil
}

// ascend asks for routes if a message has to go over relays, or waits for the
// time.
func (m *Machine) ascend(now time.Time, p *peer) {
	if p.asking {
		return
	}
	t := p.climber(now)
	if t == nil {
		m.wind(now, p)
		return
	}
	p.asking, p.size = true, t.Size
	m.ready.Routes = append(m.ready.Routes, RouteRequest{To: p.key, Size: t.Size})
}

// Routes takes the routes to a peer that were asked for, ranked best first.
func (m *Machine) Routes(now time.Time, k protocols.Key, routes []Route) {
	p, ok := m.peers[k]
	if !ok || !p.asking {
		return
	}
	p.asking = false
	rungs := m.rungsOf(p, routes)
	if p.none = len(rungs) == 0; p.none {
		m.noRoutes(now, p)
	}
	for t := p.climber(now); t != nil && t.Size <= p.size; t = p.climber(now) {
		m.climb(now, p, t, rungs)
	}
	m.flushPass()
	p.keepRungs(rungs)
	m.ascend(now, p)
}

// rungsOf are the rungs for the routes.
func (m *Machine) rungsOf(p *peer, routes []Route) []*rung {
	var rungs []*rung
	for _, route := range routes[:min(len(routes), maxRungs)] {
		if !route.sound(p.key) {
			continue
		}
		if r := m.rung(p, route); !slices.Contains(rungs, r) {
			rungs = append(rungs, r)
		}
	}
	return rungs
}

// noRoutes lets scouts be, and what the connection does not take wait for more
// room on it.
func (m *Machine) noRoutes(now time.Time, p *peer) {
	p.scouts = nil
	for t := p.unfit.first; t != nil; t = p.unfit.first {
		t.remove()
		p.spent.pushBack(t)
		m.rest(now, p)
	}
}

// climb sends a message over the first rung that it has not tried in this
// round. A message that has tried them all waits for what is under way, for the
// receipt, or for the next round.
func (m *Machine) climb(now time.Time, p *peer, t *tracked, rungs []*rung) {
	scout := len(p.scouts) > 0 && p.scouts[0] == t
	if scout {
		p.scouts = p.scouts[1:]
	}
	y := t.enter(p.round)
	r, crowded := next(now, y, rungs, scout)
	switch {
	case r != nil:
		if !scout {
			t.remove()
			p.passing.pushBack(t)
		}
		m.pass(now, p, t, r)
	case scout:
	case crowded:
		p.crowded = true
	default:
		t.remove()
		m.exhausted(now, p, t)
	}
}

// next is the rung to take, if possible one that did not fail lately; a scout is
// there to get round one in doubt.
func next(now time.Time, y *passage, rungs []*rung, scout bool) (best *rung, crowded bool) {
	for _, r := range rungs {
		switch {
		case y.tried(r) || scout && r.doubted:
		case !r.relay.room():
			crowded = true
		case !r.wary(now):
			return r, false
		case best == nil:
			best = r
		}
	}
	return best, crowded
}

// pass puts a copy of the message on a rung.
func (m *Machine) pass(now time.Time, p *peer, t *tracked, r *rung) {
	y := &try{t: t, rung: r, sentAt: now}
	if past := t.passage; len(past.tries) == maxTries {
		p.shut(past.tries[0])
	}
	t.passage.add(y)
	p.open++
	p.openBytes += t.Size
	r.add(y)
	y.line = t.attempt(Attempt{At: now, Path: WayRelays.String(), Via: r.route})
	m.departs(t, WayRelays)
	m.transmit(r.route[0], r.route, t.ID)
}

// transmit adds one envelope to what is to be put on connections, beside those
// that go the same way.
func (m *Machine) transmit(to protocols.Key, via Route, id envelope.ID) {
	if n := len(m.passes); n > 0 && slices.Equal(m.passes[n-1].Via, via) {
		m.passes[n-1].IDs = append(m.passes[n-1].IDs, id)
		return
	}
	m.passes = append(m.passes, Transmit{Peer: to, Via: via, IDs: []envelope.ID{id}})
}

func (m *Machine) flushPass() {
	m.ready.Transmit = append(m.ready.Transmit, m.passes...)
	m.passes = nil
}

// exhausted lets a message wait that no rung is left for.
func (m *Machine) exhausted(now time.Time, p *peer, t *tracked) {
	y := t.passage
	switch {
	case y.open > 0 || y.taken != nil:
		p.passing.pushBack(t)
	case y.vain:
		y.rounds++
		y.since, y.vain = len(y.tries), false
		t.reason = "relays have taken it, and no receipt came"
		p.waiting.pushBack(t)
		m.timers.arm(&t.retry, now.Add(m.backoff(y.rounds, relayReceipt)))
	default:
		p.spent.pushBack(t)
		m.rest(now, p)
	}
}

// rest ends a round that reached nobody.
func (m *Machine) rest(now time.Time, p *peer) {
	if now.Before(p.from) {
		return // it has ended
	}
	p.rounds++
	p.window, p.doubted = 1, false
	p.endedAt, p.from = now, now.Add(m.backoff(p.rounds, firstRound))
}

// wind sets the ladder's clock to what is due next.
func (m *Machine) wind(now time.Time, p *peer) {
	var at time.Time
	due := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, r := range p.rungs {
		if r.first == nil {
			continue
		}
		due(r.first.sentAt.Add(hopTimeout))
		if !r.doubted {
			due(r.doubtAt())
		}
	}
	if p.spent.first != nil {
		due(p.from)
	}
	if p.crowded {
		due(now.Add(crowdHold))
	}
	if p.doubted {
		due(p.doubtedAt.Add(doubtLife))
	}
	if p.blocked() && p.ready.first != nil && !p.none && !p.crowded && p.free() {
		due(later(p.from, p.headStart))
	}
	if at.IsZero() {
		m.timers.stop(&p.clock)
		return
	}
	m.timers.arm(&p.clock, at)
}

// tend does what the ladder's clock was set for.
func (m *Machine) tend(now time.Time, p *peer) {
	p.crowded = false
	p.doubted = p.doubted && now.Before(p.doubtedAt.Add(doubtLife))
	for _, r := range p.rungs {
		m.listen(now, p, r)
	}
	if p.spent.first != nil && !now.Before(p.from) {
		p.round++
		p.none = false
		p.ready.prepend(&p.spent)
	}
	m.pump(now, p)
	m.ascend(now, p)
}

// RoutesChanged says that there may be routes where there were none.
func (m *Machine) RoutesChanged(now time.Time) {
	if m.news.index == 0 {
		m.timers.arm(&m.news, later(now, m.newsAt.Add(newsGap)))
	}
}

// tryNews lets every message that waits for a route look again.
func (m *Machine) tryNews(now time.Time) {
	m.newsAt = now
	for _, p := range m.peers {
		if !p.none && p.spent.first == nil {
			continue
		}
		p.none, p.from = false, now
		p.ready.prepend(&p.spent) // in the same round: only what is new is tried
		m.pump(now, p)
	}
}
