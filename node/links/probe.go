package links

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/tom-protocol/tom/node/identity"
)

// Probe says whether any connection to p is alive, and closes those that are
// dead. It takes at most Limits.Probe, 2 s.
func (l *Links) Probe(ctx context.Context, p Peer) bool {
	l.mu.Lock()
	var conns []*conn
	if n := l.peers[identity.PeerIDOf(p)]; n != nil {
		conns = slices.Clone(n.conns)
	}
	l.mu.Unlock()

	results := make(chan bool, len(conns))
	for _, c := range conns {
		if !l.spawn(func(context.Context) { results <- l.probe(ctx, c) }) {
			results <- false
		}
	}
	alive := false
	for range conns {
		alive = <-results || alive
	}
	return alive
}

// probe says whether c shows any sign of life, and closes it if not.
func (l *Links) probe(ctx context.Context, c *conn) bool {
	if c.IsClosed() {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, l.cfg.Limits.Probe)
	defer cancel()
	rtt, err := echo(limited, c)
	switch {
	case err == nil:
		l.noteRTT(c, rtt)
		return true
	case ctx.Err() != nil || c.IsClosed():
		return !c.IsClosed()
	case !silence(err):
		return true // it refused: somebody is there
	}
	l.bury(c)
	return false
}

// silence says that err means that no answer came.
func silence(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// echo measures one round trip by libp2p's ping protocol, which every libp2p
// node answers.
func echo(ctx context.Context, c *conn) (time.Duration, error) {
	s, err := open(ctx, c, ping.ID, "", false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Reset() }()
	deadline, _ := ctx.Deadline()
	if err := s.SetDeadline(deadline); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()

	var out, back [ping.PingSize]byte
	_, _ = rand.Read(out[:])
	begun := time.Now()
	if _, err := s.Write(out[:]); err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	if _, err := io.ReadFull(s, back[:]); err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	if out != back {
		return 0, errors.New("ping came back changed")
	}
	return time.Since(begun), nil
}

func (l *Links) noteRTT(c *conn, rtt time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.pulse.smooth(rtt)
}
