package links

import (
	"context"
	"errors"
	"net"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/stream"
)

// outgoing is our stream of one kind to a neighbour. Links.mu guards it.
type outgoing struct {
	line    *stream.Line // nil while it opens
	waiting []waiting    // what to send once it is open; bounded as the line's queue is
	bytes   int
}

type waiting struct {
	frame   []byte
	written func(error)
}

// SendEnvelope queues frame, which links owns from then on, on the stream for
// envelopes to p, and opens the stream if there is none. It never blocks: nil,
// ErrNotConnected, ErrFull, or stream.ErrTooLong. After nil, written (which may
// be nil) is called once: with nil when the bytes have left, or with the error
// that kept them. It must not block.
func (l *Links) SendEnvelope(p Peer, frame []byte, written func(error)) error {
	return l.send(identity.PeerIDOf(p), envelopes, frame, written)
}

// SendAck queues a frame of receipts for p, like SendEnvelope.
func (l *Links) SendAck(p Peer, frame []byte) error {
	return l.send(identity.PeerIDOf(p), acks, frame, nil)
}

func (l *Links) send(p peer.ID, k kind, frame []byte, written func(error)) error {
	for {
		o, err := l.outgoing(p, k, frame, written)
		if o == nil {
			return err
		}
		if err := o.line.Send(frame, written); !errors.Is(err, net.ErrClosed) {
			return err
		}
		l.forget(p, k, o) // it has just ended: once more, with a new one
	}
}

// outgoing returns the open stream to send frame on, or nil after it has
// decided itself: the frame waits for a stream that opens, or is refused.
func (l *Links) outgoing(p peer.ID, k kind, frame []byte, written func(error)) (*outgoing, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[p]
	if n == nil || !n.up() {
		return nil, ErrNotConnected
	}
	o := n.out[k]
	if o == nil {
		o = new(outgoing)
		if !l.spawnLocked(func(ctx context.Context) { l.keep(ctx, n, k, o) }) {
			return nil, ErrNotConnected
		}
		n.out[k] = o
	}
	if o.line != nil {
		return o, nil
	}
	return nil, o.wait(frame, written)
}

// Bounds of what waits for a stream to open, the same as a line's.
const (
	maxWaiting      = 4096
	maxWaitingBytes = 4 << 20
)

func (o *outgoing) wait(frame []byte, written func(error)) error {
	if len(frame) > stream.MaxFrame {
		return stream.ErrTooLong
	}
	if len(o.waiting) >= maxWaiting || o.bytes+len(frame) > maxWaitingBytes {
		return ErrFull
	}
	o.waiting = append(o.waiting, waiting{frame, written})
	o.bytes += len(frame)
	return nil
}

// keep opens o and reads what comes back on it until it ends.
func (l *Links) keep(ctx context.Context, n *neighbour, k kind, o *outgoing) {
	line, err := l.openLine(ctx, n, k)
	if err != nil {
		l.count.opened(k, "failed")
		for _, w := range l.giveUp(n, k, o) {
			if w.written != nil {
				w.written(err)
			}
		}
		return
	}
	l.count.opened(k, "open")
	l.begin(o, line)
	l.readAnswers(n.key, k, line)
	l.forget(n.id, k, o)
	l.untrack(line)
	if k == envelopes && !line.Idled() {
		l.noteLost(n)
	}
}

// openLine opens a line to n on its best connection.
func (l *Links) openLine(ctx context.Context, n *neighbour, k kind) (*stream.Line, error) {
	l.mu.Lock()
	c := n.best()
	l.mu.Unlock()
	if c == nil {
		return nil, ErrNotConnected
	}
	s, err := open(ctx, c, l.ids[k], k.service())
	if err != nil {
		return nil, err
	}
	lim := l.cfg.Limits.Line
	lim.Memory = s.Scope()
	return stream.NewLine(s, lim), nil
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
			return
		}
		l.mu.Unlock()
		for _, w := range waited {
			if err := line.Send(w.frame, w.written); err != nil && w.written != nil {
				w.written(err)
			}
		}
	}
}

// readAnswers hands on what the peer says on our own stream.
func (l *Links) readAnswers(p Peer, k kind, line *stream.Line) {
	var frames [][]byte
	for {
		var err error
		frames, err = line.Receive(frames[:0])
		if err != nil {
			line.Close()
			return
		}
		l.count.received(k, "answer", len(frames))
		if k != envelopes { // nobody was asked
			line.Reset()
			return
		}
		l.cfg.Handlers.Answers(p, frames)
	}
}

// forget makes the next Send open a new stream instead of o.
func (l *Links) forget(p peer.ID, k kind, o *outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.peers[p]; n != nil && n.out[k] == o {
		n.out[k] = nil
	}
}

// giveUp forgets o, which could not be opened, and returns what waited for it.
func (l *Links) giveUp(n *neighbour, k kind, o *outgoing) []waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.out[k] == o {
		n.out[k] = nil
	}
	waited := o.waiting
	o.waiting, o.bytes = nil, 0
	return waited
}

func (l *Links) noteLost(n *neighbour) {
	l.count.lost.Inc()
	l.mu.Lock()
	defer l.mu.Unlock()
	n.lost = true
	l.mark(n)
}
