package discovery

import (
	"context"
	"sync"
	"sync/atomic"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
)

// Bounds of topics.
const (
	maxTopics = gossipTopics - 1 // that are followed: as many as a neighbour remembers of a node, presence aside
	maxSaid   = 64               // that wait to be published
)

// Judge is told what others say in a topic, and must not block. What it takes
// goes on to neighbours; forged says that the neighbour it came from should not
// have passed it on.
type Judge = func(b []byte) (take, forged bool)

// Topics are those that a node follows besides presence, while there is gossip.
// Its methods may be called from any goroutine.
type Topics struct {
	network protocols.Network
	self    peer.ID
	wake    chan struct{} // holds at most one token: wanted has changed
	said    chan saying

	mu     sync.Mutex
	wanted map[string]*wish
}

// wish is a topic to be followed.
type wish struct{ judge Judge }

type saying struct {
	topic string
	b     []byte
}

func newTopics(n protocols.Network, self peer.ID) *Topics {
	return &Topics{
		network: n, self: self, wake: make(chan struct{}, 1), said: make(chan saying, maxSaid), wanted: make(map[string]*wish),
	}
}

// Follow takes part in a topic until leave is called. Who follows it already is
// told no more.
func (t *Topics) Follow(topic string, judge func(b []byte) (take, forged bool)) (leave func()) {
	w := &wish{judge}
	t.mu.Lock()
	t.wanted[topic] = w
	t.mu.Unlock()
	t.poke()
	return func() {
		t.mu.Lock()
		if t.wanted[topic] == w {
			delete(t.wanted, topic)
		}
		t.mu.Unlock()
		t.poke()
	}
}

func (t *Topics) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Publish says something in a topic that is followed. Nobody may hear it.
func (t *Topics) Publish(topic string, b []byte) {
	select {
	case t.said <- saying{topic, b}:
	default:
	}
}

// joined is a topic that is followed.
type joined struct {
	wish  atomic.Pointer[wish]
	topic *pubsub.Topic
	sub   *pubsub.Subscription
	done  chan struct{} // nothing more comes
}

// run follows what is wanted until ctx ends, and the gossip with it.
func (t *Topics) run(ctx context.Context, ps *pubsub.PubSub) {
	in := make(map[string]*joined)
	defer func() {
		for _, j := range in {
			<-j.done
		}
	}()
	t.poke()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
			t.settle(ctx, ps, in)
		case s := <-t.said:
			if j := in[s.topic]; j != nil {
				if err := j.topic.Publish(ctx, s.b); err != nil {
					logger.Debugw("not published", "topic", s.topic, "err", err)
				}
			}
		}
	}
}

// settle leaves what is not wanted any more, and joins what is.
func (t *Topics) settle(ctx context.Context, ps *pubsub.PubSub, in map[string]*joined) {
	t.mu.Lock()
	wanted := make(map[string]*wish, len(t.wanted))
	for name, w := range t.wanted {
		wanted[name] = w
	}
	t.mu.Unlock()
	for name, j := range in {
		if w := wanted[name]; w != nil {
			j.wish.Store(w) // others would keep one away for a while who leaves and comes back
			continue
		}
		delete(in, name)
		t.leave(ps, name, j)
	}
	for name, w := range wanted {
		if in[name] != nil || len(in) >= maxTopics {
			continue
		}
		j, err := t.join(ctx, ps, name, w)
		if err != nil {
			logger.Debugw("topic not followed", "topic", name, "err", err)
			continue
		}
		in[name] = j
	}
}

func (t *Topics) join(ctx context.Context, ps *pubsub.PubSub, name string, w *wish) (*joined, error) {
	full := t.network.Protocol(name)
	j := &joined{done: make(chan struct{})}
	j.wish.Store(w)
	judge := func(_ context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
		if from == t.self {
			return pubsub.ValidationAccept
		}
		switch take, forged := j.wish.Load().judge(m.Data); {
		case forged:
			return pubsub.ValidationReject
		case take:
			return pubsub.ValidationAccept
		}
		return pubsub.ValidationIgnore
	}
	if err := ps.RegisterTopicValidator(full, judge, pubsub.WithValidatorInline(true)); err != nil {
		return nil, err
	}
	var err error
	if j.topic, err = ps.Join(full); err != nil {
		return nil, err
	}
	if j.sub, err = j.topic.Subscribe(pubsub.WithBufferSize(1)); err != nil {
		return nil, err
	}
	go func() {
		defer close(j.done)
		drain(ctx, j.sub)
	}()
	return j, nil
}

func (t *Topics) leave(ps *pubsub.PubSub, name string, j *joined) {
	j.sub.Cancel()
	<-j.done
	if err := j.topic.Close(); err != nil {
		logger.Debugw("topic not closed", "topic", name, "err", err)
	}
	if err := ps.UnregisterTopicValidator(t.network.Protocol(name)); err != nil {
		logger.Debugw("topic not left", "topic", name, "err", err)
	}
}
