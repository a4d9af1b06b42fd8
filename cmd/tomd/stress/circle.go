package stress

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// circle is a group of daemons that talk, and that are listened to. In the books
// what one writes goes to each of the others, under one number.
type circle struct {
	*stage
	group   string
	members []*fleet.Member

	reading sync.Mutex      // guards seen
	seen    map[string]bool // by reader and record
}

// gather makes a group of new daemons.
func (s *stage) gather(ctx context.Context, names ...string) (*circle, error) {
	members, err := s.daemons(ctx, names...)
	if err != nil {
		return nil, err
	}
	made, err := members[0].Client.CreateGroup(ctx, localapi.NewGroup{Name: "stress"})
	if err != nil {
		return nil, fmt.Errorf("found a group: %w", err)
	}
	invite, err := members[0].Client.InviteToGroup(ctx, made.Group, localapi.NewInvite{Uses: uint64(len(names))})
	if err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	g, joining := errgroup.WithContext(ctx)
	for _, m := range members[1:] {
		g.Go(func() error {
			began := time.Now()
			if _, err := m.Client.JoinGroup(joining, invite.Link); err != nil {
				return fmt.Errorf("%s joins: %w", m.Name, err)
			}
			s.say("%s has joined, after %v", m.Name, time.Since(began).Round(time.Millisecond))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c := &circle{stage: s, group: made.Group, members: members, seen: map[string]bool{}}
	for _, m := range members {
		s.following.Go(func() { c.read(s.follows, m) })
	}
	return c, nil
}

// page is how long a reader waits for something to come.
const page = 2 * time.Second

// read follows the log of one member, over its restarts, to know when what came.
// What it cannot read at first sight, and what finds another place when logs are
// merged, [circle.audit] reads again.
func (c *circle) read(ctx context.Context, m *fleet.Member) {
	since := uint64(0)
	for ctx.Err() == nil {
		records, err := m.Client.GroupLog(ctx, c.group, localapi.GroupLogQuery{Since: since, Wait: page})
		if err != nil {
			pause(ctx, comeBack)
			continue
		}
		now := time.Now()
		for i := range records {
			since = records[i].Cursor
			c.heardBy(m.Name, &records[i], now)
		}
	}
}

// heardBy notes a record in a member's log, if another wrote it, and if it was
// not noted before.
func (c *circle) heardBy(reader string, r *localapi.GroupRecord, at time.Time) (noted bool) {
	p, whole, err := ParseProbe(r.Content)
	if err != nil || p.Run != c.book.run || p.From == reader || !counts(r) {
		return false
	}
	id := r.ID + "@" + reader
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.seen[id] {
		return false
	}
	c.seen[id] = true
	p.To = reader
	c.book.arrived(p, id, whole, at)
	return true
}

// counts says that a record stands in the log, with effect: perhaps in another
// place than it had once.
func counts(r *localapi.GroupRecord) bool { return r.Mark == "effective" || r.Mark == "moved" }

// written is a record that was accepted.
type written struct {
	id string
	p  Probe
}

// write writes a message in the name of a member until its daemon takes it. Time
// runs from due.
func (c *circle) write(ctx context.Context, m *fleet.Member, due time.Time) (written, error) {
	for {
		p := c.book.nextToAll(m.Name, c.others(m), due)
		short, cancel := context.WithTimeout(ctx, answerTime)
		sent, err := m.Client.SendToGroup(short, c.group, p.Content(c.cfg.Size))
		cancel()
		if err == nil {
			c.book.acceptedForAll(p, sent.ID, c.others(m))
			return written{sent.ID, p}, c.book.err()
		}
		for _, reader := range c.others(m) {
			c.notTaken(Probe{Run: p.Run, From: p.From, To: reader, N: p.N}, err)
		}
		if err := c.tryAgain(ctx, endOf(m), err); err != nil {
			return written{}, err
		}
	}
}

// others are the names of all members but one.
func (c *circle) others(m *fleet.Member) (names []string) {
	for _, other := range c.members {
		if other != m {
			names = append(names, other.Name)
		}
	}
	return names
}

// talk lets every member write steadily, and waits for each record until all
// have it.
func (c *circle) talk(ctx context.Context, every, span time.Duration) error {
	g, ctx := errgroup.WithContext(ctx)
	c.sending = time.Now()
	for i, m := range c.members {
		records := make(chan written, 100_000)
		g.Go(func() error {
			defer close(records)
			return c.writeSteadily(ctx, m, time.Duration(i)*every/time.Duration(len(c.members)), every, span, records)
		})
		g.Go(func() error { return c.confirm(ctx, m, records) })
	}
	return g.Wait()
}

func (c *circle) writeSteadily(ctx context.Context, m *fleet.Member, offset, every, span time.Duration, records chan<- written) error {
	return steadily(ctx, time.Now().Add(offset), every, span, func(due time.Time) error {
		w, err := c.write(ctx, m, due)
		if err == nil {
			records <- w
		}
		return err
	})
}

// confirm waits for each record until every other member has signed for it.
func (c *circle) confirm(ctx context.Context, m *fleet.Member, records <-chan written) error {
	for w := range records {
		sent, err := m.Client.WaitGroup(ctx, c.group, w.id, localapi.GroupAll, c.cfg.Patience)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && (sent.State == localapi.GroupAll || sent.State == localapi.GroupRefused):
			c.book.becameForAll(w.id, sent.State == localapi.GroupAll, c.others(m), time.Now())
		} // otherwise the counts say it
	}
	return nil
}

// audit reads all logs, until they are the same, and gives one of them.
func (c *circle) audit(ctx context.Context) ([]localapi.GroupRecord, error) {
	var logs [][]localapi.GroupRecord
	same := errors.New("nobody was asked")
	for end := time.Now().Add(c.cfg.Patience); same != nil && time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 4*look) {
		logs = nil
		for _, m := range c.members {
			log, err := c.log(ctx, m)
			if err != nil {
				return nil, fmt.Errorf("the log of %s: %w", m.Name, err)
			}
			logs = append(logs, log)
		}
		same = c.compareLogs(logs)
	}
	c.result.Want(verdict.Fine("all have the same log", same))
	again := 0
	for i, log := range logs {
		for at := range log {
			again += btoi(c.heardBy(c.members[i].Name, &log[at], time.Now()))
		}
	}
	if again > 0 {
		c.result.Notes = append(c.result.Notes, fmt.Sprintf("%d records could not be read at first sight, or found another place later", again))
	}
	return logs[0], ctx.Err()
}

// compareRecords puts the log beside the daemons' own metrics.
func (c *circle) compareRecords(ctx context.Context, messages, records int) {
	c.figure(ctx, "records in all logs", records*len(c.members), "tom_groups_records_total")
	joins := len(c.members) - 1 // who founds a group need not join
	c.figure(ctx, "messages and joins that a hub accepted", messages+joins, "tom_groups_accepted_total")
}

func (c *circle) log(ctx context.Context, m *fleet.Member) (all []localapi.GroupRecord, err error) {
	for since := uint64(0); ; since = all[len(all)-1].Cursor {
		records, err := m.Client.GroupLog(ctx, c.group, localapi.GroupLogQuery{Since: since})
		if err != nil || len(records) == 0 {
			return all, err
		}
		all = append(all, records...)
	}
}

// compareLogs says where two logs differ first.
func (c *circle) compareLogs(logs [][]localapi.GroupRecord) error {
	first := logs[0]
	for i, log := range logs[1:] {
		one, other := c.members[0].Name, c.members[i+1].Name
		if len(log) != len(first) {
			return fmt.Errorf("that of %s has %d records, that of %s %d", one, len(first), other, len(log))
		}
		for at := range log {
			a, b := &first[at], &log[at]
			if a.ID != b.ID || a.Seq != b.Seq || a.Body != b.Body {
				return fmt.Errorf("at %d %s has record %s (%s), and %s %s (%s)", a.Seq, one, a.ID, a.Mark, other, b.ID, b.Mark)
			}
		}
	}
	return nil
}

func countRecords(log []localapi.GroupRecord) (messages, again, void int) {
	seen := map[string]bool{}
	for i := range log {
		r := &log[i]
		again += btoi(seen[r.ID])
		seen[r.ID] = true
		if r.Kind == "message" {
			messages++
			void += btoi(!counts(r))
		}
	}
	return messages, again, void
}

// conclude waits until everybody has signed for everything, and judges.
func (c *circle) conclude(ctx context.Context) error {
	c.book.until(ctx, c.cfg.Patience, (*ledger.Ledger).Signed)
	log, err := c.audit(ctx)
	if err != nil {
		return err
	}
	c.tally()
	c.result.ExactlyOnce()
	messages, again, void := countRecords(log)
	c.result.Want(
		verdict.Exactly("messages in the log", messages, c.result.Counts.Received/(len(c.members)-1)),
		verdict.None("records that stand twice in the log", again),
		verdict.None("messages without effect", void),
	)
	c.compareRecords(ctx, messages, len(log))
	return nil
}
