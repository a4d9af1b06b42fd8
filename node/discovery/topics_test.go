package discovery

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// ear is what a node heard in a topic.
type ear struct {
	mu    sync.Mutex
	heard []string
	leave func()
}

// follow lets a node follow a topic, and take what does not begin with "bad".
func follow(p *presenceNode, topic string) *ear {
	e := new(ear)
	e.leave = p.Topics().Follow(topic, func(b []byte) (take, forged bool) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.heard = append(e.heard, string(b))
		forged = strings.HasPrefix(string(b), "bad")
		return !forged, forged
	})
	return e
}

func (e *ear) has(t *testing.T, want ...string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.heard, want) {
		t.Errorf("heard %q, want %q", e.heard, want)
	}
}

// What is said in a topic comes to all who follow it, over others that do; what
// one does not take goes no further; who has left hears nothing more.
func TestTopicsReachThoseWhoFollowThem(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		topic, other := protocols.GroupTopic(strings.Repeat("a0", 32)), protocols.GroupTopic(strings.Repeat("b1", 32))
		a, b, c, d := s.presenceNode(1), s.presenceNode(2), s.presenceNode(3), s.presenceNode(4)
		atA, atB, atC := follow(a, topic), follow(b, topic), follow(c, topic)
		atD := follow(d, other)
		s.connect(a.Host, b.Host)
		s.connect(b.Host, c.Host)
		s.connect(c.Host, d.Host)
		virtual.Pass(time.Minute)
		a.Topics().Publish(topic, []byte("one"))
		virtual.Pass(time.Second)
		a.Topics().Publish(topic, []byte("bad"))
		virtual.Pass(time.Second)
		atB.has(t, "one", "bad")
		atC.has(t, "one")
		atA.has(t)
		atD.has(t)

		atC.leave()
		again := follow(c, topic) // as after a restart of the one who listens
		virtual.Pass(time.Minute)
		b.Topics().Publish(topic, []byte("two"))
		virtual.Pass(time.Second)
		atC.has(t, "one")
		again.has(t, "two")
		atA.has(t, "two")
		again.leave()
		virtual.Pass(time.Minute)
		b.Topics().Publish(topic, []byte("three"))
		d.Topics().Publish(topic, []byte("not followed"))
		virtual.Pass(time.Second)
		again.has(t, "two")
		atA.has(t, "two", "three")
	})
}
