package groupstest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Bounds of a queue: those of a node's stream.
const (
	maxFrames = 4096
	maxBytes  = 4 << 20
)

// ErrFull is returned for a frame that a queue has no room for.
var ErrFull = errors.New("the queue is full")

// route names a line.
type route struct {
	from, to protocols.Key
	hub      bool
}

// line is a queue of frames from one node to another. While it has any, a
// goroutine takes them to the other end.
type line struct {
	town *Town
	route

	mu    sync.Mutex
	queue []flying
	bytes int
	left  time.Time // when the last frame has left
	busy  bool
}

// flying is a frame and when it arrives.
type flying struct {
	frame []byte
	at    time.Time
}

// lines are those of a node.
type lines struct{ n *Node }

// SendGroup queues a frame.
func (l lines) SendGroup(p protocols.Key, frame []byte) error {
	return l.n.town.send(l.n, p, false, frame)
}

// SendHub queues a frame.
func (l lines) SendHub(p protocols.Key, frame []byte) error {
	return l.n.town.send(l.n, p, true, frame)
}

// Connected says whether the two can talk.
func (l lines) Connected(p protocols.Key) bool { return l.n.town.reach(l.n.Key, p) != nil }

// Connect does nothing: who can talk is connected.
func (l lines) Connect(_ context.Context, p protocols.Key) error {
	if !l.Connected(p) {
		return net.ErrClosed
	}
	return nil
}

// Inject sends a frame to a node as if another had, whatever Drop says.
func (t *Town) Inject(from, to *Node, hub bool, frame []byte) error {
	r := route{from.Key, to.Key, hub}
	return t.line(r).send(frame, t.speedOf(r))
}

// reach is a node, if another can talk to it.
func (t *Town) reach(from, to protocols.Key) *Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[to]
	if n == nil || n.service() == nil || t.cut(from, to) {
		return nil
	}
	return n
}

func (t *Town) send(from *Node, to protocols.Key, hub bool, frame []byte) error {
	if t.ctx.Err() != nil || t.reach(from.Key, to) == nil {
		return net.ErrClosed
	}
	t.mu.Lock()
	drop := t.drop(from.Key, to, hub, frame)
	t.mu.Unlock()
	if drop {
		return nil
	}
	r := route{from.Key, to, hub}
	return t.line(r).send(frame, t.speedOf(r))
}

func (t *Town) speedOf(r route) Speed {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.speed(r.from, r.to)
}

func (t *Town) line(r route) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[r]
	if l == nil {
		l = &line{town: t, route: r}
		t.lines[r] = l
	}
	return l
}

func (l *line) send(frame []byte, s Speed) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 && (len(l.queue) >= maxFrames || l.bytes+len(frame) > maxBytes) {
		return ErrFull
	}
	now := time.Now()
	if l.left.Before(now) {
		l.left = now
	}
	if s.Rate > 0 {
		l.left = l.left.Add(time.Duration(len(frame)) * time.Second / time.Duration(s.Rate))
	}
	l.queue, l.bytes = append(l.queue, flying{frame, l.left.Add(s.Delay)}), l.bytes+len(frame)
	if !l.busy {
		l.busy = true
		l.town.work.Go(l.run)
	}
	return nil
}

// Queued is how much waits on its way from one node to another.
func (t *Town) Queued(from, to *Node) (frames, bytes int) {
	for _, hub := range []bool{false, true} {
		l := t.line(route{from.Key, to.Key, hub})
		l.mu.Lock()
		frames, bytes = frames+len(l.queue), bytes+l.bytes
		l.mu.Unlock()
	}
	return frames, bytes
}

// run takes frames to the other end until there are none.
func (l *line) run() {
	for {
		frames, next := l.due()
		if len(frames) > 0 {
			l.deliver(frames)
			l.free(frames)
		} else if l.town.speedOf(l.route).Deaf {
			l.wait(time.Second)
		} else {
			l.wait(time.Until(next))
		}
		l.mu.Lock()
		l.busy = len(l.queue) > 0 && l.town.ctx.Err() == nil
		busy := l.busy
		l.mu.Unlock()
		if !busy {
			return
		}
	}
}

// due returns the frames that have arrived, and when the next will. They take up
// room until free.
func (l *line) due() (frames [][]byte, next time.Time) {
	if l.town.speedOf(l.route).Deaf {
		return nil, next
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, f := range l.queue {
		if f.at.After(now) || len(frames) == 256 {
			return frames, f.at
		}
		frames = append(frames, f.frame)
	}
	return frames, now
}

func (l *line) free(frames [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range frames {
		l.bytes -= len(f)
	}
	if l.queue = l.queue[len(frames):]; len(l.queue) == 0 {
		l.queue = nil
	}
}

func (l *line) deliver(frames [][]byte) {
	to := l.town.reach(l.from, l.to)
	if to == nil {
		return // lost
	}
	s := to.service()
	if s == nil {
		return
	}
	in := inbound{to, l.from}
	if l.hub {
		s.Hub(in, frames)
	} else {
		s.Group(in, frames)
	}
}

func (l *line) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.town.ctx.Done():
	}
}

// postAgain is how often a sealed message that was not taken is brought again.
const postAgain = time.Second

// post brings a sealed message of the protocol's own, until it is taken.
func (n *Node) post(_ context.Context, to protocols.Key, contentType string, body []byte) error {
	body = slices.Clone(body)
	n.mu.Lock()
	n.posted[to]++
	n.mu.Unlock()
	(&line{town: n.town}).wait(n.Posting)
	if n.PostLost != nil && n.PostLost(to, contentType) {
		return nil
	}
	n.town.work.Go(func() {
		for n.town.ctx.Err() == nil {
			if x := n.town.reach(n.Key, to); x != nil {
				if s := x.service(); s != nil && s.Own(n.Key, contentType, body) == nil {
					return
				}
			}
			(&line{town: n.town}).wait(postAgain)
		}
	})
	return nil
}
