package bot

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// message is what is to be answered.
type message struct {
	from, name, groupName string
	content               localapi.Content
	created               localapi.Time
	stranger              bool
}

// handle answers one message and marks it as read, or leaves it unread if ctx ends
// before that is done.
func (b *bot) handle(ctx context.Context, it item) {
	if !it.skip {
		if r, ok := b.respond(ctx, it); ok {
			b.Tell(r)
		}
	}
	if ctx.Err() == nil {
		_ = insist(ctx, func() error { return b.mark(ctx, it) }) // or it comes again, and is known
	}
}

func (b *bot) mark(ctx context.Context, it item) error {
	if it.group {
		return b.Client.MarkGroupRead(ctx, it.talk.id, it.cursor)
	}
	return b.Client.MarkRead(ctx, []localapi.Cursor{localapi.Cursor(it.cursor)})
}

// respond makes the answer and has the daemon accept it. False: there is nothing
// to tell.
func (b *bot) respond(ctx context.Context, it item) (Report, bool) {
	var m *message
	if err := insist(ctx, func() (err error) { m, err = b.fetch(ctx, it); return err }); err != nil || m == nil {
		return Report{}, false // its time is over, or the group is gone
	}
	r := Report{What: "answered", From: m.from, Name: m.name, ID: it.id, GroupName: m.groupName}
	if it.group {
		r.Group = it.talk.id
	}
	fail := func(err error) (Report, bool) {
		r.What, r.Answer, r.Reason = "failed", "", err.Error()
		return r, ctx.Err() == nil
	}
	var err error
	if r.Answer, err = answerID(b.me, m.from, it); err != nil {
		return fail(err)
	}
	known := false
	if err := insist(ctx, func() (err error) { known, err = b.known(ctx, it, r.Answer); return err }); err != nil {
		return fail(err)
	}
	if known {
		r.What = "known"
		return r, true
	}
	begun := time.Now()
	body, err := b.answer(ctx, it, m)
	r.TookMS, r.Bytes = time.Since(begun).Milliseconds(), len(body)
	switch {
	case err != nil:
		return fail(err)
	case len(body) == 0:
		r.What, r.Answer = "silent", ""
		return r, true
	}
	if err := insist(ctx, func() error { return b.send(ctx, it, r.Answer, body) }); err != nil {
		return fail(err)
	}
	return r, true
}

// fetch reads the message; nil if it is gone.
func (b *bot) fetch(ctx context.Context, it item) (*message, error) {
	if it.group {
		return b.fetchRecord(ctx, it)
	}
	page, err := b.Client.InboxPage(ctx, localapi.InboxQuery{Since: localapi.Cursor(it.cursor - 1), Limit: 1})
	if err != nil {
		return nil, err
	}
	for _, m := range page.Messages {
		if uint64(m.Cursor) == it.cursor && m.ID == it.id {
			return &message{from: m.From, name: m.Name, content: m.Content, created: m.Created, stranger: m.Stranger}, nil
		}
	}
	return nil, nil
}

func (b *bot) fetchRecord(ctx context.Context, it item) (*message, error) {
	log, err := b.Client.GroupLog(ctx, it.talk.id, localapi.GroupLogQuery{Since: it.since, Limit: 1})
	if err != nil {
		return nil, err
	}
	for i := range log {
		if r := &log[i]; r.ID == it.id && b.wanted(r) {
			g, err := b.Client.Group(ctx, it.talk.id)
			return &message{from: r.From, name: r.Name, groupName: g.Name, content: r.Content, created: r.Created}, err
		}
	}
	return nil, nil // it is gone, or has another place now
}

// known says that the daemon has accepted the answer before.
func (b *bot) known(ctx context.Context, it item, answer string) (bool, error) {
	var err error
	if it.group {
		_, err = b.Client.GroupRecord(ctx, it.talk.id, answer)
	} else {
		_, err = b.Client.Message(ctx, answer)
	}
	var said *localapi.Error
	if errors.As(err, &said) && said.Code == localapi.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

func (b *bot) send(ctx context.Context, it item, answer string, body []byte) error {
	content := localapi.NewContent(typeOf(it.id), body)
	var err error
	if it.group {
		_, err = b.Client.SendToGroupOnce(ctx, it.talk.id, localapi.GroupOutgoing{ID: answer, Content: content})
	} else {
		_, err = b.Client.Send(ctx, localapi.Outgoing{ID: answer, To: it.talk.id, Content: content})
	}
	return err
}

// answer is what the bot has to say.
func (b *bot) answer(ctx context.Context, it item, m *message) ([]byte, error) {
	body, err := m.content.Bytes()
	if err != nil || b.Command == nil {
		return body, err
	}
	return b.Command.run(ctx, commandTime, environment(it, m), body)
}

// environment tells the command whom it answers. Nothing in it is interpreted by
// anybody, and no name can end a variable early.
func environment(it item, m *message) []string {
	group := ""
	if it.group {
		group = it.talk.id
	}
	env := []string{
		"TOM_FROM=" + m.from, "TOM_NAME=" + m.name, "TOM_ID=" + it.id, "TOM_TYPE=" + m.content.Type,
		"TOM_CREATED=" + m.created.UTC().Format(time.RFC3339Nano), "TOM_STRANGER=" + strconv.FormatBool(m.stranger),
		"TOM_GROUP=" + group, "TOM_GROUP_NAME=" + m.groupName,
	}
	for i, v := range env {
		env[i] = strings.ReplaceAll(v, "\x00", "")
	}
	return env
}
