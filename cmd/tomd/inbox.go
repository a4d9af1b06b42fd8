package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func inboxCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "inbox",
		Usage: "list messages received",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "follow", Usage: "go on with those to come"},
			&cli.BoolFlag{Name: "unread", Usage: "only those not marked read"},
			&cli.Uint64Flag{Name: "since", Usage: "only those after `CURSOR`"},
			&cli.BoolFlag{Name: "mark-read", Usage: "mark as read what is listed, and tell the senders"},
			&cli.BoolFlag{Name: "requests", Usage: "only those of strangers and muted peers"},
		},
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			r := reading{t: t, client: client, markRead: c.Bool("mark-read"), query: localapi.InboxQuery{
				Since: localapi.Cursor(c.Uint64("since")), Unread: c.Bool("unread"), Requests: c.Bool("requests"),
			}}
			at, err := r.list(c.Context)
			if err != nil || !c.Bool("follow") {
				return err
			}
			return r.follow(c.Context, at)
		}),
	}
}

// reading is one run of the command.
type reading struct {
	t        *terminal
	client   *localapi.Client
	query    localapi.InboxQuery
	markRead bool
}

// list prints what is there and gives the cursor after it.
func (r *reading) list(ctx context.Context) (at localapi.Cursor, err error) {
	for page, err := range r.client.Inbox(ctx, r.query) {
		if err != nil {
			return at, err
		}
		if page.Gap {
			r.gap()
		}
		if err := r.show(ctx, page.Messages); err != nil {
			return at, err
		}
		at = page.Cursor
	}
	return at, nil
}

// follow prints what comes after at, until ctx ends.
func (r *reading) follow(ctx context.Context, at localapi.Cursor) error {
	for e, err := range r.client.Events(ctx, at) {
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("the daemon has gone; go on with --since %d: %w", at, err)
		case e.Gap:
			r.gap()
			continue
		case e.Cursor <= at: // known from before the gap
			continue
		}
		at = e.Cursor
		if e.Kind != localapi.EventReceived || e.Message == nil || r.query.Requests && !e.Message.Stranger {
			continue
		}
		if err := r.show(ctx, []localapi.Received{*e.Message}); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// show prints messages and then, if asked to, marks them as read.
func (r *reading) show(ctx context.Context, messages []localapi.Received) error {
	var unread []localapi.Cursor
	for _, m := range messages {
		if r.t.json {
			r.t.printJSON(r.t.out, m)
		} else {
			fmt.Fprintln(r.t.out, messageText(m))
		}
		if !m.Read {
			unread = append(unread, m.Cursor)
		}
	}
	if !r.markRead || len(unread) == 0 {
		return nil
	}
	return r.client.MarkRead(ctx, unread)
}

func (r *reading) gap() {
	if r.t.json {
		r.t.printJSON(r.t.out, localapi.Event{Gap: true})
		return
	}
	fmt.Fprintf(r.t.out, "(cursor %d is too old: some messages may have come and ended since; this is what is there)\n", r.query.Since)
}

// messageText is a message for people: a star marks it unread, the number
// before it is its cursor.
func messageText(m localapi.Received) string {
	mark, from, body := "*", printable(who(m.Name, m.From)), lines(m.Body)
	if m.Read {
		mark = " "
	}
	if m.Stranger {
		from += " (stranger)"
	}
	if m.Encoding != "" || !strings.HasPrefix(m.Type, "text/") {
		body = describe(m)
	}
	return fmt.Sprintf("%6d%s %s  %s: %s", m.Cursor, mark, stamp(m.Received.Time), from, body)
}

// describe is what is said of a body that is no plain text.
func describe(m localapi.Received) string {
	b, err := m.Bytes()
	if err != nil {
		return "[unreadable: " + printable(err.Error()) + "]"
	}
	return fmt.Sprintf("[%s, %d bytes; --json shows them]", printable(m.Type), len(b))
}
