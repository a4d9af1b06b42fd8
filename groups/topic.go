package groups

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Topics is gossip: what is said in a topic comes to all who follow it, over some
// of them. Its methods may be called from any goroutine, and do not block.
type Topics interface {
	// Follow takes part in a topic until leave is called. judge is told what
	// others say there, and must not block. What it takes goes on to others;
	// forged says that nobody should have passed it on.
	Follow(topic string, judge func(b []byte) (take, forged bool)) (leave func())
	// Publish says something in a topic that is followed.
	Publish(topic string, b []byte)
}

// How much of a topic is taken, of all who speak there together. A group says
// about two things a minute.
const (
	topicBurst = 16
	topicEvery = time.Second
)

// topic is a room's part in its group's topic: members' heads, and the hubs', go
// past the hub there. Its name is made of a secret, so that others do not find
// it.
type topic struct {
	name   string
	secret [32]byte
	leave  func() // nil: it is not followed
}

// follow takes part in the topic of the secret that holds now.
func (r *room) follow() {
	if r.s.cfg.Topics == nil || r.place.serves() || r.topic.leave != nil && r.topic.secret == r.place.Secret {
		return
	}
	r.unfollow()
	name := protocols.GroupTopic(wire.TopicName(r.id, r.place.Secret))
	allow := rate.NewLimiter(rate.Every(topicEvery), topicBurst)
	leave := r.s.cfg.Topics.Follow(name, func(b []byte) (take, forged bool) { return r.hear(allow, b) })
	r.topic = topic{name: name, secret: r.place.Secret, leave: leave}
}

func (r *room) unfollow() {
	if r.topic.leave != nil {
		r.topic.leave()
		r.topic = topic{}
	}
}

// speak says frames in the topic.
func (r *room) speak(list []wire.Frame) {
	for _, f := range list {
		if r.topic.leave != nil {
			r.s.cfg.Topics.Publish(r.topic.name, wire.AppendFrame(nil, f))
		}
	}
}

// hear judges what was said in the topic, for another goroutine. Only what is
// signed by a key that may be a hub's goes on, and not more than a group says.
func (r *room) hear(allow *rate.Limiter, b []byte) (take, forged bool) {
	if !allow.Allow() {
		r.s.count.heard("often")
		return false, false
	}
	f, err := wire.ParseTopicFrame(r.s.cfg.Verifier, b)
	if err == nil {
		err = r.checkTopic(f)
	}
	if err != nil {
		r.s.count.heard("forged")
		return false, true
	}
	select {
	case r.inbox <- func(now time.Time) { r.heard(now, f) }:
		r.s.count.heard("taken")
	default:
		r.s.count.heard("full")
	}
	return true, false
}

// checkTopic verifies what was said.
func (r *room) checkTopic(f wire.Frame) error {
	switch f := f.(type) {
	case *wire.TopicHead:
		h, err := wire.ParseHead(r.s.cfg.Verifier, f.Head)
		if err == nil && h.Group != r.id {
			err = errGroup
		}
		return err
	case *wire.TopicHub:
		h, err := wire.ParseHubRecord(r.s.cfg.Verifier, f.Record)
		if err == nil && h.Group != r.id {
			err = errGroup
		}
		return err
	}
	return errGroup
}

// heard takes what was said. A head is compared with what this node knows; of
// another hub's record that hub is told whom this node follows, so that the two
// meet.
func (r *room) heard(now time.Time, f wire.Frame) {
	hub, ok := f.(*wire.TopicHub)
	if !ok {
		_ = r.seat.HearTopic(now, f) // it was verified
		return
	}
	h, err := wire.ParseHubRecord(r.s.cfg.Verifier, hub.Record)
	mine := r.seat.Branch()
	if err != nil || h.Primary == mine.Primary() || !r.seat.Ledger().Fold().Hears(h.Primary) || h.Number < mine.Record.Number {
		return
	}
	if r.seat.Leads() || mine.Record.Names(r.s.self) {
		frame := mine.Frame()
		r.send(h.Primary, &frame)
	}
}

// relate notes who takes part in the group now, and tells of it.
func (r *room) relate(nodes map[protocols.Key]bool) {
	var old map[protocols.Key]bool
	if p := r.nodes.Swap(&nodes); p != nil {
		old = *p
	}
	kin, stayed := r.s.cfg.Kin, 0
	if kin == nil {
		return
	}
	for k := range nodes {
		if old[k] {
			stayed++
		} else if k != r.s.self {
			kin(k, true)
		}
	}
	if stayed == len(old) {
		return
	}
	for k := range old {
		if !nodes[k] && !r.s.CoMember(k) {
			kin(k, false)
		}
	}
}

// CoMember says whether a peer is in a group with this node.
func (s *Service) CoMember(k protocols.Key) bool {
	for _, r := range s.all() {
		if nodes := r.nodes.Load(); nodes != nil && (*nodes)[k] {
			return true
		}
	}
	return false
}
