package stress

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// moved is how long it may take, at most, until messages come again to or from
// who has moved: under a second, and this for a machine that is busy.
const moved = 15 * time.Second

// roam lets one after the other come back under another address, while messages
// are on their way.
func (s *stage) roam(ctx context.Context) error {
	pair, err := s.daemons(ctx, "alice", "bob")
	if err != nil {
		return err
	}
	if err := s.acquaint(ctx, pair...); err != nil {
		return err
	}
	s.attend(pair...)
	span := s.left(0.75)
	s.sending = time.Now()
	g, sending := errgroup.WithContext(ctx)
	g.Go(func() error {
		return s.steadily(sending, endOf(pair[0]), endOf(pair[1]), s.cfg.every(10), span)
	})
	moves := 0
	g.Go(func() error {
		for end := time.Now().Add(span); moves < len(pair) || time.Until(end) > 3*time.Second; moves++ {
			if err := s.move(sending, pair[1-moves%2]); err != nil {
				return err
			}
			pause(sending, time.Second)
		}
		return sending.Err()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	s.sent = time.Now()
	s.result.Want(verdict.AtLeast("moves", moves, len(pair)))
	return s.conclude(ctx, endOf(pair[0]), pair[1])
}

// move kills a daemon, starts it on another port, and waits until something that
// was sent afterwards has come.
func (s *stage) move(ctx context.Context, m *fleet.Member) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	before := m.Identity().Addrs
	s.kill(m)
	if err := s.back(ctx, m, "--listen", fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port)); err != nil {
		return err
	}
	began, from := time.Now(), s.book.numbers()
	after := m.Identity().Addrs
	same := slices.ContainsFunc(after, func(addr string) bool { return slices.Contains(before, addr) })
	s.result.Want(verdict.None("addresses that "+m.Name+" kept", btoi(same)))
	s.book.until(ctx, s.cfg.Patience, func(l *ledger.Ledger) bool { return l.Came(from) })
	took := time.Since(began)
	s.say("%s has moved, and messages come again after %v", m.Name, took.Round(time.Millisecond))
	s.result.Want(verdict.Within("messages come again when "+m.Name+" has moved", took, moved))
	return nil
}

// freePort is one that nobody listened on a moment ago.
func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.LocalAddr().(*net.UDPAddr).Port, nil
}
