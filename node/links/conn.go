package links

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tom-protocol/tom/protocols/delivery"
)

// conn is one connection to a neighbour, with our streams on it. Links.mu
// guards what is not atomic.
type conn struct {
	network.Conn
	of    *neighbour
	path  delivery.Path
	quota *quota // what a relay lets through; nil: no limit is known

	greeted bool          // a hello came over it, as an answer or by itself
	heard   bool          // one came by itself
	closed  chan struct{} // closed when the connection is gone

	out    [kinds]*outgoing // our streams
	in     int              // its streams of our protocols
	since  time.Time        // when it was filed
	wanted time.Time        // since when it should have a successor; zero: it need not
	spare  time.Time        // since when another one is used; zero: never was

	life  lifeSigns
	pulse pulse
	next  task // the next look at it, see tend
}

// lifeSigns says when a byte last came on any of our streams of a connection.
type lifeSigns struct {
	begun time.Time
	at    atomic.Int64 // after begun
}

func (s *lifeSigns) note()           { s.at.Store(int64(time.Since(s.begun))) }
func (s *lifeSigns) last() time.Time { return s.begun.Add(time.Duration(s.at.Load())) }

func newConn(c network.Conn, of *neighbour) *conn {
	now := time.Now()
	return &conn{
		Conn: c, of: of, path: pathOf(c), quota: quotaOf(c),
		closed: make(chan struct{}), since: now, life: lifeSigns{begun: now},
	}
}

// gone says that the connection has ended.
func (c *conn) gone() bool {
	select {
	case <-c.closed:
		return true
	default:
		return c.IsClosed()
	}
}

// unanswered is how many envelopes went out on c without an answer, and their
// bytes.
func (c *conn) unanswered() (frames, bytes int64) {
	for _, o := range c.out {
		if o != nil {
			frames += o.frames.Load()
			bytes += o.pending.Load()
		}
	}
	for o := range c.of.draining {
		if o.conn == c {
			frames += o.frames.Load()
			bytes += o.pending.Load()
		}
	}
	return frames, bytes
}

// counted is a stream whose bytes are signs of life, and count against what a
// relay lets through.
type counted struct {
	network.Stream
	on      *conn
	charged bool // what is written was counted beforehand
}

func (s *counted) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if n > 0 {
		s.on.life.note()
		s.on.quota.cameIn(n)
	}
	return n, err
}

func (s *counted) Write(p []byte) (int, error) {
	n, err := s.Stream.Write(p)
	if !s.charged {
		s.on.quota.wentOut(n)
	}
	return n, err
}
