package seat

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// About every so often one member tells the topic which head it follows, so that
// a hub cannot show different logs to different members for long.
const headEvery = 30 * time.Second

// topic is when this node speaks next, unless another does before.
type topic struct {
	next  time.Time
	turns uint64
}

// later puts the next time off by 30 to 60 s, spread over the members.
func (s *Seat) later(now time.Time) {
	s.topic.turns++
	h := sha256.Sum256(binary.BigEndian.AppendUint64(s.self[:], s.topic.turns))
	s.topic.next = now.Add(headEvery + time.Duration(binary.BigEndian.Uint32(h[:])%30_000)*time.Millisecond)
}

// speak tells the topic the head that this node follows.
func (s *Seat) speak(now time.Time) {
	if now.Before(s.topic.next) {
		return
	}
	s.later(now)
	if h := s.member.Head(); h != nil {
		s.ready.Topic = append(s.ready.Topic, &wire.TopicHead{Head: h.Bytes()})
	}
}

// HearTopic takes a message of the group's topic. An error says that its sender
// broke a rule.
func (s *Seat) HearTopic(now time.Time, f wire.Frame) error {
	t, ok := f.(*wire.TopicHead)
	if !ok {
		return nil
	}
	h, err := wire.ParseHead(s.cfg.Verifier, t.Head)
	if err != nil {
		return err
	}
	mine := s.member.Head()
	if mine != nil && mine.Term == h.Term && mine.Seq == h.Seq && mine.Log == h.Log {
		s.later(now) // it says what we would
	}
	s.member.OnHead(h)
	s.settle(now)
	return nil
}
