package links

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/stream"
)

// outgoing is our stream of one kind on one connection. Links.mu guards what is
// not atomic.
type outgoing struct {
	conn    *conn
	kind    kind
	line    *stream.Line // nil while it opens
	waiting []waiting    // what to send once it is open; bounded as the line's queue is
	bytes   int

	// Envelopes without an answer, and their bytes. A peer that answers what
	// nobody sent makes them too low, to its own harm.
	frames  atomic.Int64
	pending atomic.Int64

	retired atomic.Bool // another stream takes what follows: end it once all is answered
	since   time.Time   // it was retired
}

type waiting struct {
	kind    kind
	frame   []byte
	written func(error)
}

func (w waiting) failed(err error) {
	if w.written != nil {
		w.written(err)
	}
}

// SendEnvelope queues frame, which links owns from then on, on the stream for
// envelopes to p, and opens the stream if there is none. It never blocks: nil,
// ErrNotConnected, ErrFull, ErrLimit, or stream.ErrTooLong. After nil, written
// (which may be nil) is called once: with nil when the bytes have left, or with
// the error that kept them. It must not block.
func (l *Links) SendEnvelope(p Peer, frame []byte, written func(error)) error {
	return l.send(identity.PeerIDOf(p), waiting{envelopes, frame, written})
}

// SendAck queues a frame of receipts for p, like SendEnvelope.
func (l *Links) SendAck(p Peer, frame []byte) error {
	return l.send(identity.PeerIDOf(p), waiting{kind: acks, frame: frame})
}

// SendBackup queues a question to a holder, like SendEnvelope.
func (l *Links) SendBackup(p Peer, frame []byte, written func(error)) error {
	return l.send(identity.PeerIDOf(p), waiting{backups, frame, written})
}

// SendPresence queues a frame of the heartbeat protocol for p, like
// SendEnvelope. It is not answered.
func (l *Links) SendPresence(p Peer, frame []byte) error {
	return l.send(identity.PeerIDOf(p), waiting{kind: heartbeats, frame: frame})
}

// SendGroup queues a frame of the group protocol for p, like SendEnvelope. What
// the peer says comes on streams of its own.
func (l *Links) SendGroup(p Peer, frame []byte) error {
	return l.send(identity.PeerIDOf(p), waiting{kind: groups, frame: frame})
}

// SendHub queues a frame of the hub protocol for p, like SendGroup.
func (l *Links) SendHub(p Peer, frame []byte) error {
	return l.send(identity.PeerIDOf(p), waiting{kind: hubs, frame: frame})
}

func (l *Links) send(p peer.ID, w waiting) error {
	for {
		o, err := l.outgoing(p, w)
		if o == nil {
			return err
		}
		err = o.line.Send(w.frame, w.written)
		if err == nil {
			return nil
		}
		l.unsent(o, w)
		if !errors.Is(err, net.ErrClosed) {
			return err
		}
		l.forget(o) // it has just ended: once more, with a new one
	}
}

// outgoing returns the open stream to send w on, or nil after it has decided
// itself: the frame waits, or is refused.
func (l *Links) outgoing(p peer.ID, w waiting) (*outgoing, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[p]
	if n == nil || !n.up() {
		return nil, ErrNotConnected
	}
	if w.kind != heartbeats {
		n.talked = time.Now()
	}
	if len(w.frame) > stream.MaxFrame {
		return nil, stream.ErrTooLong
	}
	if !n.used.quota.take(len(w.frame)) {
		return nil, l.hold(n, w)
	}
	if n.used.quota.low() {
		l.renew(n)
	}
	return l.lineOn(n.used, w)
}

// lineOn returns the open stream on c for w, or nil after w was made to wait
// for it, or refused. l.mu is held.
func (l *Links) lineOn(c *conn, w waiting) (*outgoing, error) {
	o := c.out[w.kind]
	if o == nil {
		o = &outgoing{conn: c, kind: w.kind}
		if !l.spawnLocked(func(ctx context.Context) { l.keep(ctx, o) }) {
			return nil, ErrNotConnected
		}
		c.out[w.kind] = o
	}
	if o.line == nil {
		if err := o.wait(w); err != nil {
			c.quota.giveBack(len(w.frame))
			return nil, err
		}
	}
	if w.kind == envelopes {
		o.frames.Add(1)
		o.pending.Add(int64(len(w.frame)))
		l.advance(&c.next, time.Now().Add(fastBeat))
	}
	if o.line == nil {
		return nil, nil
	}
	return o, nil
}

// Bounds of what waits for a stream to open, the same as a line's.
const (
	maxWaiting      = 4096
	maxWaitingBytes = 4 << 20
)

func (o *outgoing) wait(w waiting) error {
	if len(o.waiting) >= maxWaiting || o.bytes+len(w.frame) > maxWaitingBytes {
		return ErrFull
	}
	o.waiting = append(o.waiting, w)
	o.bytes += len(w.frame)
	return nil
}

// unsent takes back what lineOn counted.
func (l *Links) unsent(o *outgoing, w waiting) {
	o.conn.quota.giveBack(len(w.frame))
	if w.kind == envelopes {
		o.pending.Add(-int64(len(w.frame)))
		o.frames.Add(-1)
		l.endDrained(o)
	}
}

// answered notes that n answers came.
func (o *outgoing) answered(n int) {
	left := o.frames.Add(-int64(n))
	if left <= 0 {
		o.pending.Store(0)
		return
	}
	had := o.pending.Load()
	o.pending.Add(-had * int64(n) / (left + int64(n)))
}

// keep opens o and reads what comes back on it until it ends.
func (l *Links) keep(ctx context.Context, o *outgoing) {
	line, err := l.openLine(ctx, o)
	if err != nil {
		l.count.opened(o.kind, "failed")
		for _, w := range l.giveUp(o) {
			w.failed(err)
		}
		return
	}
	l.count.opened(o.kind, "open")
	l.begin(o, line)
	l.readAnswers(o, line)
	l.forget(o)
	l.untrack(line)
	l.ended(o, line)
}

// askIdle is how long a stream stays open without any beats, or questions to a
// holder: both come singly, and an open stream costs both ends more than to open
// it again.
const askIdle = 10 * time.Second

func (l *Links) openLine(ctx context.Context, o *outgoing) (*stream.Line, error) {
	s, err := open(ctx, o.conn, l.ids[o.kind], o.kind.service(), true)
	if err != nil {
		return nil, err
	}
	lim := l.cfg.Limits.Line
	lim.Memory = s.Scope()
	if o.kind == heartbeats || o.kind == backups {
		lim.Idle = min(lim.Idle, askIdle)
	}
	return l.newLine(s, lim), nil
}

// begin moves what waited into the line and lets senders use it.
func (l *Links) begin(o *outgoing, line *stream.Line) {
	l.track(line)
	for {
		l.mu.Lock()
		waited := o.waiting
		o.waiting, o.bytes = nil, 0
		if len(waited) == 0 {
			o.line = line
			l.mu.Unlock()
			l.endDrained(o)
			return
		}
		l.mu.Unlock()
		for _, w := range waited {
			if err := line.Send(w.frame, w.written); err != nil {
				l.unsent(o, w)
				w.failed(err)
			}
		}
	}
}

// readAnswers hands on what the peer says on our own stream.
func (l *Links) readAnswers(o *outgoing, line *stream.Line) {
	var frames [][]byte
	for {
		var err error
		frames, err = line.Receive(frames[:0])
		if err != nil {
			if reset := (*network.StreamError)(nil); errors.As(err, &reset) && reset.Remote {
				o.conn.life.note() // refused is not silent; what we close ourselves is
			}
			line.Close()
			return
		}
		l.count.received(o.kind, "answer", len(frames))
		switch o.kind {
		case envelopes:
			o.answered(len(frames))
			l.endDrained(o)
			l.cfg.Handlers.Answers(o.conn.of.key, frames)
		case backups:
			l.cfg.Handlers.BackupAnswers(o.conn.of.key, frames)
		case heartbeats:
			err = l.beatsAnswered(o.conn, frames)
		default:
			err = errUnasked
		}
		if err != nil {
			line.Reset()
			return
		}
	}
}

// errUnasked: receipts are not answered.
var errUnasked = errors.New("an answer where nobody asked")

// forget makes the next send open a new stream instead of o.
func (l *Links) forget(o *outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.conn.out[o.kind] == o {
		o.conn.out[o.kind] = nil
	}
}

// giveUp forgets o, which could not be opened, and returns what waited for it.
func (l *Links) giveUp(o *outgoing) []waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.conn.out[o.kind] == o {
		o.conn.out[o.kind] = nil
	}
	delete(o.conn.of.draining, o)
	waited := o.waiting
	o.waiting, o.bytes = nil, 0
	for _, w := range waited {
		o.conn.quota.giveBack(len(w.frame))
	}
	return waited
}

// ended tells who sent envelopes that their stream broke, unless it ended
// because nobody used it, or was drained.
func (l *Links) ended(o *outgoing, line *stream.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := o.conn.of
	delete(n.draining, o)
	l.advance(&o.conn.next, time.Now())
	if o.kind != envelopes || line.Idled() || o.retired.Load() && o.frames.Load() <= 0 {
		return
	}
	l.noteLost(n)
}

// noteLost has the handlers told that envelopes may be lost. l.mu is held.
func (l *Links) noteLost(n *neighbour) {
	l.count.lost.Inc()
	n.lost = true
	l.mark(n)
}
