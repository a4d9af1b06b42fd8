package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// gossip is what else a group may be on libp2p: a topic, with messages that are
// signed and else in clear. Each member is connected to some others.
type gossip struct {
	ctx    context.Context
	stop   context.CancelFunc
	hosts  []host.Host
	topics []*pubsub.Topic
	work   sync.WaitGroup

	came  atomic.Int64
	await sync.Map // number of a message: *arrivals
	next  atomic.Uint64
}

// arrivals counts who has a message.
type arrivals struct {
	left atomic.Int64
	all  chan struct{}
}

const (
	gossipPeers = 10                     // connections of a member, made by it
	gossipLost  = 300 * time.Millisecond // after that a message is not waited for
	gossipMesh  = 3 * time.Second        // until meshes have grown
	gossipTopic = "bench"
)

func openGossip(ctx context.Context, o order) (worker, answer, error) {
	g := new(gossip)
	g.ctx, g.stop = context.WithCancel(context.Background())
	for i := range o.N {
		if err := g.add(ctx, i); err != nil {
			return nil, answer{}, errors.Join(err, g.close())
		}
	}
	time.Sleep(gossipMesh)
	return g, answer{}, nil
}

func (g *gossip) add(ctx context.Context, i int) error {
	h, err := plainHost()
	if err != nil {
		return err
	}
	g.hosts = append(g.hosts, h)
	for _, j := range rand.Perm(i)[:min(i, gossipPeers)] {
		if err := h.Connect(ctx, peer.AddrInfo{ID: g.hosts[j].ID(), Addrs: g.hosts[j].Addrs()}); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
	}
	ps, err := pubsub.NewGossipSub(g.ctx, h)
	if err != nil {
		return err
	}
	t, err := ps.Join(gossipTopic)
	if err != nil {
		return err
	}
	s, err := t.Subscribe(pubsub.WithBufferSize(4096))
	if err != nil {
		return err
	}
	g.topics = append(g.topics, t)
	g.work.Go(func() { g.read(h.ID(), s) })
	return nil
}

func (g *gossip) read(self peer.ID, s *pubsub.Subscription) {
	for {
		m, err := s.Next(g.ctx)
		if err != nil {
			return
		}
		if m.GetFrom() == self {
			continue
		}
		g.came.Add(1)
		if a, ok := g.await.Load(binary.BigEndian.Uint64(m.Data)); ok {
			if a := a.(*arrivals); a.left.Add(-1) == 0 {
				close(a.all)
			}
		}
	}
}

// say publishes a message and waits until all have it; it may be lost.
func (g *gossip) say(ctx context.Context, t *pubsub.Topic, body []byte) error {
	number := g.next.Add(1)
	a := &arrivals{all: make(chan struct{})}
	a.left.Store(int64(len(g.hosts) - 1))
	g.await.Store(number, a)
	defer g.await.Delete(number)
	if err := t.Publish(ctx, append(binary.BigEndian.AppendUint64(nil, number), body...)); err != nil {
		return err
	}
	late := time.NewTimer(gossipLost)
	defer late.Stop()
	select {
	case <-a.all:
	case <-late.C:
	}
	return nil
}

// rest waits until nothing comes any more of what was said before.
func (g *gossip) rest() {
	for came := int64(-1); came != g.came.Load(); time.Sleep(gossipLost) {
		came = g.came.Load()
	}
}

func (g *gossip) do(ctx context.Context, o order) (a answer, err error) {
	before, begin := g.came.Load(), time.Now()
	switch o.Do {
	case "rest": // by itself: what it takes is no part of what is measured
		g.rest()
	case "burst": // of one author, by as many writers as may wait
		err = g.all(ctx, o.Window, o.N/o.Window, func(int) *pubsub.Topic { return g.topics[0] })
	case "chatter":
		err = g.all(ctx, min(o.Authors, len(g.topics)), o.N, func(i int) *pubsub.Topic { return g.topics[i] })
	case "singles":
		for _, body := range makeBodies(o.N) {
			one := time.Now()
			if err = g.say(ctx, g.topics[0], body); err != nil {
				break
			}
			a.Each = append(a.Each, time.Since(one))
		}
	default:
		err = errOrder
	}
	a.Took, a.Came = time.Since(begin), g.came.Load()-before
	return a, err
}

// all has some writers say n messages each.
func (g *gossip) all(ctx context.Context, writers, n int, topic func(int) *pubsub.Topic) error {
	errs := make([]error, writers)
	var work sync.WaitGroup
	for i := range writers {
		work.Go(func() {
			for _, body := range makeBodies(n) {
				if errs[i] = g.say(ctx, topic(i), body); errs[i] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

func (g *gossip) close() error {
	g.stop()
	errs := make([]error, len(g.hosts))
	var ending sync.WaitGroup
	for i, h := range g.hosts {
		ending.Go(func() { errs[i] = h.Close() })
	}
	ending.Wait()
	g.work.Wait()
	return errors.Join(errs...)
}
