package stress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// keepers is how many others there are to keep messages; three of them sign.
const keepers = 4

// backup sends to somebody who is away, until others have signed to keep it; then
// the sender goes too, and only then the recipient comes back.
func (s *stage) backup(ctx context.Context) error {
	names := []string{"alice", "bob"}
	for i := range keepers {
		names = append(names, fmt.Sprintf("keeper%d", i+1))
	}
	members, err := s.daemons(ctx, names...)
	if err != nil {
		return err
	}
	alice, bob := members[0], members[1]
	if err := s.acquaint(ctx, alice, bob); err != nil {
		return err
	}
	s.attend(alice, bob)
	if err := s.introduce(ctx, alice, bob); err != nil {
		return err
	}
	if err := s.sendAway(ctx, alice, bob); err != nil {
		return err
	}
	before := s.received()
	if err := s.comeBackAlone(ctx, alice, bob); err != nil {
		return err
	}
	s.result.Want(verdict.AtLeast("messages that came while the sender was gone", s.received()-before, 1))
	if err := s.checkDisks(members[2:]...); err != nil {
		return err
	}
	if err := s.back(ctx, alice); err != nil {
		return err
	}
	return s.conclude(ctx, endOf(alice), bob)
}

// introduce waits until the sender knows the keepers, and has spoken with the
// recipient once.
func (s *stage) introduce(ctx context.Context, alice, bob *fleet.Member) error {
	s.sending = time.Now()
	id, err := s.send(ctx, endOf(alice), endOf(bob), s.cfg.Size, s.sending)
	if err != nil {
		return err
	}
	if _, err := alice.Client.Wait(ctx, id, localapi.Delivered, s.cfg.Patience); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	for {
		status, err := alice.Client.Status(ctx)
		if err == nil && status.Peers >= 1+keepers {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("alice finds only %d others of %d", status.Peers, 1+keepers)
		}
		pause(ctx, look)
	}
}

// sendAway kills the recipient, sends, waits until holders have signed for each
// message, and kills the sender.
func (s *stage) sendAway(ctx context.Context, alice, bob *fleet.Member) error {
	s.kill(bob)
	if err := s.steadily(ctx, endOf(alice), endOf(bob), s.cfg.every(10), s.part(0.3)); err != nil {
		return err
	}
	s.sent = time.Now()
	s.book.until(ctx, s.cfg.Patience, func(l *ledger.Ledger) bool {
		c := l.Counts()
		return c.Stored >= c.Accepted-c.Delivered
	})
	var c ledger.Counts
	s.book.do(func(l *ledger.Ledger) { c = l.Counts() })
	s.result.Want(verdict.Exactly("messages that others keep", c.Stored, c.Accepted-c.Delivered))
	s.say("others keep %d messages", c.Stored)
	s.kill(alice)
	return nil
}

// comeBackAlone starts the recipient while the sender is dead, and waits until it
// has everything.
func (s *stage) comeBackAlone(ctx context.Context, alice, bob *fleet.Member) error {
	if alice.Alive() || bob.Alive() {
		return errors.New("who was killed lives")
	}
	began := time.Now()
	if err := s.back(ctx, bob); err != nil {
		return err
	}
	all := s.book.until(ctx, s.cfg.Patience, func(l *ledger.Ledger) bool { return l.Counts().Lost == 0 })
	s.say("bob has fetched what others kept, %v after his start", time.Since(began).Round(time.Millisecond))
	s.result.Want(verdict.Exactly("recipients that have everything while the sender is gone", btoi(all && !alice.Alive()), 1))
	return nil
}
