package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node"
)

// patience is how long anything may take that ought to take seconds.
const patience = 100 * time.Second

// tomNode runs a node on loopback that finds nobody by itself: the two sides
// meet by the address given, which may lead over a lossy path.
type tomNode struct {
	*node.Node
	stop context.CancelFunc
	done chan error
}

func startNode(cfg node.Config, rendezvous string) (*tomNode, error) {
	cfg.Local, cfg.RendezvousDir = true, rendezvous
	cfg.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1"}
	n, err := node.New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	t := &tomNode{Node: n, stop: stop, done: make(chan error, 1)}
	go func() { t.done <- n.Run(ctx) }()
	return t, nil
}

func (t *tomNode) close() error {
	t.stop()
	return <-t.done
}

func (t *tomNode) address() string { return fmt.Sprintf("%s/p2p/%s", t.Addrs()[0], t.ID()) }

func tomReceive(dir string) (receiver, error) {
	return startNode(node.Config{DataDir: dir, Name: "bob"}, filepath.Join(dir, "rendezvous"))
}

type tomSender struct {
	*tomNode
	to     node.Peer
	cursor node.Cursor // of the last event seen
}

func tomSend(dir, address string) (sender, error) { return tomSendOn("", dir, address) }

func tomSendOn(network, dir, address string) (sender, error) {
	n, err := startNode(node.Config{Network: network, DataDir: dir, Name: "alice"}, filepath.Join(dir, "rendezvous"))
	if err != nil {
		return nil, err
	}
	s := &tomSender{tomNode: n}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.to, err = n.Connect(ctx, address); err == nil {
		_, err = s.singles(1) // by then the prekeys are here
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return s, nil
}

// singles sends one message at a time: from Send to the verified receipt.
func (s *tomSender) singles(n int) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	took := make([]time.Duration, n)
	for i, body := range makeBodies(n) {
		begin := time.Now()
		id, err := s.SendTo(ctx, s.to, node.Message{Body: body})
		if err != nil {
			return nil, err
		}
		st, err := s.Wait(ctx, id, node.Delivered)
		if err != nil || !st.State.Receipted() {
			return nil, fmt.Errorf("message %d is %v: %w", i, st.State, err)
		}
		took[i] = time.Since(begin)
	}
	return took, nil
}

// burst sends as a program does that has window messages on their way: each
// sender waits until its message is accepted, and takes the next body once an
// event says that some message is delivered.
func (s *tomSender) burst(n, window int) (time.Duration, error) {
	bodies := make(chan []byte, n)
	for _, b := range makeBodies(n) {
		bodies <- b
	}
	close(bodies)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	free := make(chan struct{}, window)
	for range window {
		free <- struct{}{}
	}
	if err := s.catchUp(); err != nil {
		return 0, err
	}

	var senders sync.WaitGroup
	begin := time.Now()
	for range window {
		senders.Go(func() {
			if err := s.sendAll(ctx, bodies, free); err != nil {
				fail(err)
			}
		})
	}
	err := s.awaitDelivered(ctx, n, free)
	took := time.Since(begin)
	if err != nil {
		err = fmt.Errorf("%w", errors.Join(err, context.Cause(ctx)))
		fail(err)
	}
	senders.Wait()
	return took, err
}

func (s *tomSender) sendAll(ctx context.Context, bodies <-chan []byte, free <-chan struct{}) error {
	for body := range bodies {
		select {
		case <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := s.SendTo(ctx, s.to, node.Message{Body: body}); err != nil {
			return err
		}
	}
	return nil
}

var errEnough = errors.New("enough events")

// awaitDelivered follows the events until n messages are delivered, and gives
// their places in the window free.
func (s *tomSender) awaitDelivered(ctx context.Context, n int, free chan<- struct{}) error {
	err := s.Events(ctx, s.cursor, func(e node.Event) error {
		s.cursor = e.Cursor
		switch {
		case e.Kind == node.Gap:
			return errors.New("events are missing")
		case e.Kind != node.StateChanged:
			return nil
		case e.State == node.Expired || e.State == node.Failed:
			return fmt.Errorf("message %v is %v", e.ID, e.State)
		case e.State != node.Delivered:
			return nil
		}
		if n--; n == 0 {
			return errEnough
		}
		free <- struct{}{} // never blocks: it was taken for this message
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// catchUp passes over the events of what was sent before: all of it is
// delivered, but events are written a moment later.
func (s *tomSender) catchUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	id, err := s.SendTo(ctx, s.to, node.Message{Body: make([]byte, bodySize)})
	if err != nil {
		return err
	}
	err = s.Events(ctx, s.cursor, func(e node.Event) error {
		s.cursor = e.Cursor
		if e.ID == id && e.State == node.Delivered {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
