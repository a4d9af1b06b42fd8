package links

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// How often a connection is asked for a sign of life, and how long it may show
// none after it was asked. See doc.go for what this costs.
const (
	fastBeat     = 500 * time.Millisecond // where somebody waits
	fastPatience = 1800 * time.Millisecond
	leanBeat     = 5 * time.Second // to relays that others reach us by
	leanPatience = 3 * time.Second
	idleBeat     = 90 * time.Second // to friends
	idlePatience = 10 * time.Second

	maxPatience = 10 * time.Second
	slowest     = 128 << 10 // bytes a second that a path is taken to carry at least
)

// pulse is the state of the beats on one connection.
type pulse struct {
	sent    [8]sentBeat // the newest, in a ring
	next    int
	last    time.Time // when the newest was sent
	suspect time.Time // when the first was sent after the last sign of life; zero: none
	proven  bool      // the peer answers beats
	pinged  bool      // a ping is out because it does not, as far as we know
	rtt     time.Duration
}

type sentBeat struct {
	counter uint64
	at      time.Time // zero: answered, or none
}

// rhythm is how often a connection is asked, and how long it may be silent.
// Zeros: never.
type rhythm struct{ every, patience time.Duration }

// rhythm decides how closely c is watched. l.mu is held.
func (l *Links) rhythm(c *conn) rhythm {
	n := c.of
	frames, bytes := c.unanswered()
	since, waited := l.watched[n.key]
	_, lean := l.leaned[n.id]
	if waited && time.Since(later(since, n.talked)) > patient {
		waited, lean = false, true
	}
	used := c == n.used
	switch {
	case n.speaks && (frames > 0 || waited && used):
		load := time.Duration(bytes) * time.Second / slowest // a beat may stand behind all that
		return rhythm{fastBeat, min(max(fastPatience, 4*c.pulse.rtt)+load, maxPatience)}
	case used && lean:
		return rhythm{leanBeat, leanPatience}
	case used && n.speaks && n.friend:
		return rhythm{idleBeat, idlePatience}
	}
	return rhythm{}
}

// tend looks at a connection: whether it lives, has to be asked, renewed or
// closed. l.mu is held; what it returns is done without it.
func (l *Links) tend(c *conn, now time.Time) (then func()) {
	late := now.Sub(c.next.at) > time.Second
	if c.gone() {
		return nil // the word of its end is under way
	}
	next := sooner(c.drainBy(now), l.tendCircuit(c, now))
	if l.isSpare(c, now) {
		return func() { l.hangUp(c) }
	}
	due, then := l.tendPulse(c, now, late)
	if next = sooner(next, due); !next.IsZero() {
		l.plan(&c.next, later(next, now.Add(time.Millisecond)))
	}
	return then
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tendPulse says when to look again, and what to do now. late: this node itself
// was held up, and may not have come to read a sign of life.
func (l *Links) tendPulse(c *conn, now time.Time, late bool) (next time.Time, then func()) {
	p, r := &c.pulse, l.rhythm(c)
	seen := c.life.last()
	if !p.suspect.IsZero() && seen.After(p.suspect) {
		p.suspect, p.pinged = time.Time{}, false
	}
	if r.every == 0 {
		p.suspect = time.Time{}
		return time.Time{}, nil
	}
	if late && !p.suspect.IsZero() {
		p.suspect = now
	}
	if !p.suspect.IsZero() {
		dead := p.suspect.Add(r.patience)
		if p.proven && !dead.After(now) {
			return time.Time{}, func() { l.bury(c) }
		}
		next = dead
	}
	beat := p.last.Add(r.every)
	if r.every <= leanBeat { // any sign of life will do
		beat = later(beat, seen.Add(r.every))
	}
	if beat.After(now) {
		return sooner(next, beat), nil
	}
	return now.Add(r.every), l.ask(c, now)
}

// ask notes that c is asked for a sign of life now, and returns what asks it. Of
// a peer that has not answered a beat yet it is not known that it will: it gets
// a ping beside it, which every libp2p node answers, and which closes what is
// dead. l.mu is held.
func (l *Links) ask(c *conn, now time.Time) (then func()) {
	p := &c.pulse
	p.last = now
	if p.suspect.IsZero() {
		p.suspect = now
	}
	ping := !p.proven && !p.pinged
	p.pinged = p.pinged || ping
	beat := heartbeat.Beat{Counter: rand.Uint64()}
	if c.of.speaks {
		p.sent[p.next] = sentBeat{beat.Counter, now}
		p.next = (p.next + 1) % len(p.sent)
	}
	return func() {
		if ping {
			l.spawn(func(ctx context.Context) {
				l.probe(ctx, c)
				l.mu.Lock()
				p.pinged = false
				l.mu.Unlock()
			})
		}
		l.beat(c, beat)
	}
}

// beat sends a beat on c itself, if its peer may know what that is.
func (l *Links) beat(c *conn, b heartbeat.Beat) {
	if l.cfg.Load != nil {
		b.Load = l.cfg.Load()
	}
	b.Time = uint64(l.cfg.Now().UnixMilli())
	w := waiting{kind: heartbeats, frame: b.Append(nil)}
	l.mu.Lock()
	var o *outgoing
	if c.of.speaks && !c.gone() && c.quota.take(len(w.frame)) {
		o, _ = l.lineOn(c, w) // it is sent again soon
	}
	l.mu.Unlock()
	if o == nil {
		return
	}
	l.count.beats.Inc()
	if err := o.line.Send(w.frame, nil); err != nil {
		l.unsent(o, w)
		l.forget(o)
	}
}

// hangUp closes a connection. That may take a while if the other end is dead, so
// nobody waits for it but Run.
func (l *Links) hangUp(c *conn) {
	l.spawn(func(context.Context) { _ = c.Close() })
}

// bury closes a connection that shows no life. If it went over a relay, that
// may be what died.
func (l *Links) bury(c *conn) {
	l.count.dead.Inc()
	logger.Debugw("connection dead", "peer", c.RemotePeer(), "addr", c.RemoteMultiaddr())
	l.hangUp(c)
	if c.path.Via == (Peer{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if relay := l.peers[identity.PeerIDOf(c.path.Via)]; relay != nil {
		used := relay.used
		l.spawnLocked(func(ctx context.Context) { l.probe(ctx, used) })
	}
}

// Beat is what one beat and its answer told.
type Beat struct {
	RTT    time.Duration // smoothed, of the connection it went over
	Offset time.Duration // the peer's clock minus ours
	Load   uint8         // as the peer said in its newest beat; 255 the most
}

// beatsAnswered takes in what came back on our stream for beats. Answers to
// what was never asked, or long ago, count as no more than a sign of life.
func (l *Links) beatsAnswered(c *conn, frames [][]byte) error {
	for _, f := range frames {
		a, err := heartbeat.ParseBeatAnswer(f)
		if errors.Is(err, protocols.ErrFrameType) {
			continue // of a later version
		}
		if err != nil {
			return err
		}
		if b, ok := l.noteAnswer(c, a); ok {
			l.cfg.Handlers.Beat(c.of.key, b)
		}
	}
	return nil
}

func (l *Links) noteAnswer(c *conn, a heartbeat.BeatAnswer) (Beat, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &c.pulse
	for i := range p.sent {
		s := &p.sent[i]
		if s.at.IsZero() || s.counter != a.Counter {
			continue
		}
		took := time.Since(s.at)
		s.at = time.Time{}
		p.proven = true
		p.smooth(took)
		theirs := time.UnixMilli(int64(min(a.Time, 1<<52))).Add(took / 2)
		c.of.offset = theirs.Sub(l.cfg.Now())
		return Beat{RTT: p.rtt, Offset: c.of.offset, Load: c.of.load}, true
	}
	return Beat{}, false
}

// smooth takes in a round trip, as RFC 6298 does.
func (p *pulse) smooth(took time.Duration) {
	if p.rtt == 0 {
		p.rtt = took
		return
	}
	p.rtt += (took - p.rtt) / 8
}

// errHasty: nobody needs so many beats.
var errHasty = errors.New("beats faster than anybody needs them")

// answerBeat answers a neighbour's beat.
func (l *Links) answerBeat(in *Inbound, frame []byte) error {
	b, err := heartbeat.ParseBeat(frame)
	if err != nil {
		return err
	}
	l.mu.Lock()
	in.n.load = b.Load
	l.mu.Unlock()
	a := heartbeat.BeatAnswer{Counter: b.Counter, Time: uint64(l.cfg.Now().UnixMilli())}
	_ = in.Answer(a.Append(nil)) // it fails only if the stream has ended
	return nil
}
