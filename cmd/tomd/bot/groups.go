package bot

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// keyTime is how long those behind a record wait whose key has not come yet.
const keyTime = time.Minute

// groupFeed is how far a group's log is in the queue.
type groupFeed struct {
	seen    uint64    // cursor up to which it is in the queue
	waiting time.Time // since when the record behind that waits for its key; zero: it does not
}

// fillGroups takes in what was written in groups.
func (b *bot) fillGroups(ctx context.Context) error {
	all, err := b.Client.Groups(ctx)
	if err != nil {
		return err
	}
	present := make(map[string]bool)
	for _, g := range all {
		present[g.Group] = true
		f := b.groups[g.Group]
		if f == nil {
			f = &groupFeed{seen: g.Read}
			b.groups[g.Group] = f
		}
		if err := b.fillGroup(ctx, g.Group, f); err != nil {
			return err
		}
	}
	for id := range b.groups {
		if !present[id] {
			delete(b.groups, id)
		}
	}
	return nil
}

func (b *bot) fillGroup(ctx context.Context, group string, f *groupFeed) error {
	for !b.queue.full() {
		records, err := b.Client.GroupLog(ctx, group, localapi.GroupLogQuery{Since: f.seen, Limit: localapi.MaxPage})
		if err != nil || len(records) == 0 {
			return err
		}
		for i := range records {
			r := &records[i]
			if b.awaitsKey(f, r) {
				b.again = true
				return nil
			}
			b.queue.add(item{talk: talk{true, group}, id: r.ID, cursor: r.Seq, since: f.seen, skip: !b.wanted(r)})
			f.seen = r.Cursor
		}
	}
	b.more = true
	return nil
}

// awaitsKey says that a record may yet be read.
func (b *bot) awaitsKey(f *groupFeed, r *localapi.GroupRecord) bool {
	if r.Mark != "waiting" {
		f.waiting = time.Time{}
		return false
	}
	if f.waiting.IsZero() {
		f.waiting = time.Now()
	}
	return time.Since(f.waiting) < keyTime
}

// wanted says that a record is a message that can be answered.
func (b *bot) wanted(r *localapi.GroupRecord) bool {
	readable := r.Mark == "effective" || r.Mark == "moved"
	return r.Kind == "message" && r.From != b.me && readable && !isAnswer(r.Type)
}

// courtship is an invitation that is being accepted, or could not be.
type courtship struct {
	busy  bool
	fails int
	next  time.Time // no earlier than this
}

// inviteTime is how long after a failure an invitation is tried again, doubled
// each time up to an hour.
const inviteTime = 5 * time.Second

// acceptInvites joins where somebody invites to.
func (b *bot) acceptInvites(ctx context.Context) error {
	all, err := b.Client.GroupInvites(ctx)
	if err != nil {
		return err
	}
	open := make(map[string]bool)
	for _, i := range all {
		open[i.Invite] = true
		c := b.joining[i.Invite]
		if c == nil {
			c = new(courtship)
			b.joining[i.Invite] = c
		}
		if c.busy {
			continue
		}
		if time.Now().Before(c.next) {
			b.again = true
			continue
		}
		c.busy = true
		b.busy.Go(func() { b.accept(ctx, i, c.fails) })
	}
	for invite, c := range b.joining {
		if !open[invite] && !c.busy {
			delete(b.joining, invite)
		}
	}
	return nil
}

// accept tries to join once.
func (b *bot) accept(ctx context.Context, i localapi.ReceivedInvite, failed int) {
	_, err := b.Client.JoinGroup(ctx, i.Invite)
	r := Report{What: "joined", Group: i.Invite, GroupName: i.Name, From: i.From, Name: i.FromName}
	if err != nil {
		r.What, r.Reason = "not_joined", err.Error()
	}
	if ctx.Err() == nil && (err == nil || failed == 0) {
		b.Tell(r)
	}
	outcome := i.Invite
	select {
	case b.join <- outcome:
	case <-ctx.Done():
	}
}

// joined notes that a try is over. One that went well is off the daemon's list.
func (b *bot) joined(invite string) {
	c := b.joining[invite]
	c.busy = false
	c.next = time.Now().Add(min(inviteTime<<min(c.fails, 10), time.Hour))
	c.fails++
	b.again = true
}
