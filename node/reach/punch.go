package reach

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// circuit is a peer that came by a circuit and is to be met by a hole.
type circuit struct {
	tries   int
	due     time.Time
	hurried bool // it was tried as soon as the peer could punch
}

type punches map[peer.ID]circuit

// punchAfter are the times from one attempt to the next. The first comes from
// libp2p, as soon as the circuit stands; after the last, this circuit stays what
// it is.
var punchAfter = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 20 * time.Minute}

func (s *Service) planPunch(id peer.ID, after time.Duration) {
	due := time.Now().Add(after)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, planned := s.punches[id]; s.host.Punch == nil || planned && !c.due.After(due) {
		return
	}
	s.punches[id] = circuit{due: due}
	s.nudge()
}

// hurryPunch takes in that a peer can punch from now on: one that has just started
// could not while nobody had told it its address, and the first attempt of its
// circuit failed. One more is made at once, and only one for a circuit.
func (s *Service) hurryPunch(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, planned := s.punches[id]; planned && c.tries == 0 && !c.hurried {
		s.punches[id] = circuit{tries: -1, due: time.Now(), hurried: true} // beside those that are planned
		s.nudge()
	}
}

// punchDue punches where it is due, and returns when it will be next. Behind a
// symmetric NAT it is not tried again: only luck would help.
func (s *Service) punchDue(ctx context.Context, now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.punches {
		if !now.Before(c.due) {
			if s.hopeless() || isDirect(s.host, id) || !s.punchNow(ctx, id) {
				delete(s.punches, id)
				continue
			}
			c.tries++
			if c.tries >= len(punchAfter) {
				delete(s.punches, id)
				continue
			}
			c.due = now.Add(punchAfter[c.tries])
			s.punches[id] = c
		}
		if next.IsZero() || c.due.Before(next) {
			next = c.due
		}
	}
	return next
}

func (s *Service) punchNow(ctx context.Context, id peer.ID) bool {
	punch := s.host.Punch
	return ctx.Err() == nil && s.spawn(func() {
		err := punch(id)
		logger.Debugw("punched again", "peer", id, "err", err)
	})
}

// Symmetric says that each UDP connection of ours gets another port.
func (s *Service) Symmetric(v6 bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.symmetric(v6)
}

func (s *Service) symmetric(v6 bool) bool {
	return s.seen.mapping(false, v6, s.uplink.Holds) == MappingDependent
}

// hopeless says that each connection of ours gets another port. mu is held.
func (s *Service) hopeless() bool {
	return s.symmetric(false) &&
		s.seen.mapping(true, false, s.uplink.Holds) != MappingIndependent
}
