package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// answerTime is how long the daemon may take; a join takes up to half a minute.
const answerTime = 40 * time.Second

// perform does one thing that a step wants done, and returns the answer; nil if
// there is none.
func perform(ctx context.Context, c *localapi.Client, what any) any {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	switch what := what.(type) {
	case load:
		in, err := fetch(ctx, c)
		if err != nil {
			return away{err}
		}
		return in
	case loadPage:
		return readPage(ctx, c, what)
	case loadLog:
		return readLog(ctx, c, what.key, what.since)
	case say:
		return give(ctx, c, what)
	case markRead:
		err := mark(ctx, c, what)
		return marked{what.key, what.cursors, what.seq, err}
	case askTrace:
		return trace(ctx, c, what)
	case askAbout:
		return tellAbout(ctx, c, what.key)
	case do:
		return carryOut(ctx, c, what)
	}
	return nil
}

// fetch reads everything but words.
func fetch(ctx context.Context, c *localapi.Client) (in loaded, err error) {
	var errs [6]error
	in.talks, errs[0] = c.Talks(ctx)
	in.me, errs[1] = c.Identity(ctx)
	in.contacts, errs[2] = c.Contacts(ctx)
	in.groups, errs[3] = c.Groups(ctx)
	in.invites, errs[4] = c.GroupInvites(ctx)
	in.peers, errs[5] = c.Peers(ctx)
	return in, errors.Join(errs[:]...)
}

func readPage(ctx context.Context, c *localapi.Client, what loadPage) any {
	if !what.group {
		p, err := c.Talk(ctx, what.id, what.before, pageLines)
		return page{key: what.key, asked: what.before, words: p.Words, more: p.More, before: p.Before, err: err}
	}
	from := uint64(0)
	if what.before > 0 {
		from = uint64(max(what.before, pageLines+1)) - pageLines - 1
		list, err := c.GroupLog(ctx, what.id, localapi.GroupLogQuery{Since: from, Limit: int(uint64(what.before) - 1 - from)})
		return page{key: what.key, asked: what.before, records: list, more: from > 0, before: localapi.Cursor(from + 1), err: err}
	}
	g, err := c.Group(ctx, what.id)
	if err != nil {
		return page{key: what.key, err: err}
	}
	if g.Seq > pageLines {
		from = g.Seq - pageLines
	}
	p := readLog(ctx, c, what.key, from)
	p.more, p.before = from > 0, localapi.Cursor(from+1)
	return p
}

// readLog reads what is behind a seq.
func readLog(ctx context.Context, c *localapi.Client, k key, since uint64) page {
	list, err := c.GroupLog(ctx, k.id, localapi.GroupLogQuery{Since: since})
	return page{key: k, records: list, since: since, newest: len(list) < localapi.MaxPage, err: err}
}

func give(ctx context.Context, c *localapi.Client, what say) any {
	content := localapi.NewContent(localapi.DefaultType, []byte(what.text))
	if what.group {
		sent, err := c.SendToGroup(ctx, what.id, content)
		return said{what.key, sent.ID, err}
	}
	accepted, err := c.Send(ctx, localapi.Outgoing{To: what.id, Content: content, Keep: true})
	return said{what.key, accepted.ID, err}
}

func mark(ctx context.Context, c *localapi.Client, what markRead) error {
	if what.group {
		return c.MarkGroupRead(ctx, what.id, what.seq)
	}
	return c.MarkRead(ctx, what.cursors)
}

// stand asks how one own message stands.
func stand(ctx context.Context, c *localapi.Client, k key, id string) any {
	if k.group {
		sent, err := c.GroupRecord(ctx, k.id, id)
		if err != nil {
			return nil
		}
		return standing{key: k, id: id, group: &sent}
	}
	m, err := c.Message(ctx, id)
	if err != nil {
		return nil
	}
	return standing{key: k, id: id, message: &m}
}

func trace(ctx context.Context, c *localapi.Client, what askTrace) any {
	out := traced{key: what.key, id: what.id}
	if !what.group {
		out.trace, out.err = c.Trace(ctx, what.id)
		return out
	}
	if out.group, out.err = c.Group(ctx, what.key.id); out.err == nil {
		out.sent, out.err = c.GroupRecord(ctx, what.key.id, what.id)
	}
	return out
}

func tellAbout(ctx context.Context, c *localapi.Client, k key) any {
	out := about{key: k}
	if k.group {
		out.group, out.err = c.Group(ctx, k.id)
		return out
	}
	contacts, err := c.Contacts(ctx)
	for _, x := range contacts {
		if x.ID == k.id {
			out.contact = x
		}
	}
	peers, err2 := c.Peers(ctx)
	for i := range peers {
		if peers[i].ID == k.id {
			out.peer = &peers[i]
		}
	}
	out.err = errors.Join(err, err2)
	return out
}

// carryOut makes a change that a person asked for.
func carryOut(ctx context.Context, c *localapi.Client, what do) any {
	out := done{do: what}
	f := orders[what.what]
	out.err = f(ctx, c, &out)
	return out
}

var orders = map[order]func(ctx context.Context, c *localapi.Client, d *done) error{
	orderAdd: func(ctx context.Context, c *localapi.Client, d *done) error {
		x, err := c.AddContact(ctx, d.arg, d.arg2)
		d.text, d.opens = x.Name+" is a contact now", key{id: x.ID}
		return err
	},
	orderName:   rename,
	orderForget: onContact("removed", (*localapi.Client).RemoveContact),
	orderMute: onContact("muted", func(c *localapi.Client, ctx context.Context, id string) (localapi.Contact, error) {
		return c.Mute(ctx, id, true)
	}),
	orderUnmute: onContact("heard again", func(c *localapi.Client, ctx context.Context, id string) (localapi.Contact, error) {
		return c.Mute(ctx, id, false)
	}),
	orderCreate: func(ctx context.Context, c *localapi.Client, d *done) error {
		g, err := c.CreateGroup(ctx, localapi.NewGroup{Name: d.arg})
		d.text, d.opens = "the group "+g.Name+" is founded: /invite brings others in", key{group: true, id: g.Group}
		return err
	},
	orderJoin: func(ctx context.Context, c *localapi.Client, d *done) error {
		g, err := c.JoinGroup(ctx, d.arg)
		d.text, d.opens = fmt.Sprintf("joined %s, %d members", g.Name, g.Members), key{group: true, id: g.Group}
		return err
	},
	orderInvite: inviteTo,
	orderLeave: func(ctx context.Context, c *localapi.Client, d *done) error {
		_, err := c.ChangeGroup(ctx, d.do.id, localapi.GroupChange{Change: localapi.ChangeLeave})
		d.text = "left"
		return err
	},
	orderConnect: func(ctx context.Context, c *localapi.Client, d *done) error {
		p, err := c.Connect(ctx, d.arg)
		d.text = "connected to " + named(p.Name, p.ID)
		return err
	},
}

// rename names a person or a group.
func rename(ctx context.Context, c *localapi.Client, d *done) error {
	d.text = "called " + d.arg + " now"
	if d.group {
		_, err := c.ChangeGroup(ctx, d.do.id, localapi.GroupChange{Change: localapi.ChangeRename, Name: d.arg})
		return err
	}
	_, err := c.RenameContact(ctx, d.do.id, d.arg)
	var known *localapi.Error
	if errors.As(err, &known) && known.Code != localapi.CodeExists { // no contact yet
		_, err = c.AddContact(ctx, d.do.id, d.arg)
	}
	return err
}

func onContact(what string, f func(c *localapi.Client, ctx context.Context, id string) (localapi.Contact, error)) func(context.Context, *localapi.Client, *done) error {
	return func(ctx context.Context, c *localapi.Client, d *done) error {
		x, err := f(c, ctx, d.do.id)
		d.text = named(x.Name, x.ID) + " is " + what
		return err
	}
}

func inviteTo(ctx context.Context, c *localapi.Client, d *done) error {
	i, err := c.InviteToGroup(ctx, d.do.id, localapi.NewInvite{Peer: d.arg, ExpiresS: int64(day / time.Second)})
	if d.text, d.link = "a link into the group, for one person, for a day", i.Link; i.Link == "" {
		d.text = plain.Line(d.arg) + " is invited"
	}
	return err
}
