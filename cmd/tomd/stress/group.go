package stress

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// circleNames are the members of a group that is tried.
var circleNames = []string{"alice", "bob", "carol", "dave"}

// groupTalk lets everybody in a group write: all must see one order, each message
// once, and each writer must hear that all have it.
func (s *stage) groupTalk(ctx context.Context) error {
	c, err := s.gather(ctx, circleNames...)
	if err != nil {
		return err
	}
	if err := c.talk(ctx, c.cfg.every(5), s.left(0.75)); err != nil {
		return err
	}
	s.sent = time.Now()
	if err := c.conclude(ctx); err != nil {
		return err
	}
	s.result.Want(verdict.AtLeast("members", len(c.members), 3))
	return nil
}
