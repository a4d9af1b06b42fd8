package stress

import (
	"context"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
)

// pair makes the two ends of a conversation: two daemons that know each other,
// or the user's and the one elsewhere.
func (s *stage) pair(ctx context.Context) (here, there end, err error) {
	if s.cfg.To != "" {
		return s.meetElsewhere(ctx)
	}
	two, err := s.daemons(ctx, "alice", "bob")
	if err != nil {
		return here, there, err
	}
	if err := s.acquaint(ctx, two...); err != nil {
		return here, there, err
	}
	s.attend(two...)
	return endOf(two[0]), endOf(two[1]), nil
}

// conclude waits for what is still on its way, and judges: exactly once, as both
// ends say, and as the daemons' own metrics and the inbox itself say.
func (s *stage) conclude(ctx context.Context, from end, hearers ...*fleet.Member) error {
	s.settle(ctx)
	s.tally()
	s.result.ExactlyOnce()
	s.compareFigures(ctx)
	if len(hearers) > 0 {
		if err := s.auditInboxes(ctx, hearers...); err != nil {
			return err
		}
	}
	return s.ways(ctx, from)
}

// members are the phase's own daemons.
func (s *stage) members() []*fleet.Member {
	if s.fleet == nil {
		return nil
	}
	return s.fleet.Members()
}

// hearers are the daemons whose inboxes can be looked into: all but the first,
// which sends.
func (s *stage) hearers() []*fleet.Member {
	if s.fleet == nil {
		return nil
	}
	return s.fleet.Members()[1:]
}
