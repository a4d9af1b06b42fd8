package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func groupLogCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "list what was said and done in a group", ArgsUsage: "GROUP",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "follow", Usage: "go on with what is to come"},
			&cli.StringFlag{Name: "since", Usage: "only what stands behind `CURSOR|RECORD`"},
			&cli.BoolFlag{Name: "mark-read", Usage: "tell the others that you have read it"},
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			f := following{t: t, client: client, group: args[0], markRead: c.Bool("mark-read")}
			if err := f.begin(c.Context, c.String("since")); err != nil {
				return err
			}
			return f.run(c.Context, c.Bool("follow"))
		}),
	}
}

// following is one run of the command.
type following struct {
	t        *terminal
	client   *localapi.Client
	group    string
	markRead bool
	at       uint64
}

// begin finds where to begin: at a cursor, or a record's id.
func (f *following) begin(ctx context.Context, since string) error {
	if since == "" {
		return nil
	}
	if at, err := strconv.ParseUint(since, 10, 64); err == nil && len(since) < 20 {
		f.at = at
		return nil
	}
	for at := uint64(0); ; {
		page, err := f.client.GroupLog(ctx, f.group, localapi.GroupLogQuery{Since: at})
		if err != nil {
			return err
		}
		for _, r := range page {
			if at = r.Cursor; r.ID == since {
				f.at = at
				return nil
			}
		}
		if len(page) == 0 {
			return localapi.Errorf(localapi.CodeNotFound, "there is no record %s in the log", since).
				WithHint("tomd group log --json shows the ids and cursors")
		}
	}
}

// logWait is how long one request for more may wait.
const logWait = 30 * time.Second

func (f *following) run(ctx context.Context, follow bool) error {
	q := localapi.GroupLogQuery{}
	for {
		q.Since = f.at
		page, err := f.client.GroupLog(ctx, f.group, q)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case len(page) == 0 && !follow:
			return nil
		case len(page) == 0:
			q.Wait = logWait
			continue
		}
		for _, r := range page {
			f.show(r)
			f.at = r.Cursor
		}
		if f.markRead {
			if err := f.client.MarkGroupRead(ctx, f.group, f.at); err != nil {
				return err
			}
		}
	}
}

func (f *following) show(r localapi.GroupRecord) {
	if f.t.json {
		f.t.printJSON(f.t.out, r)
		return
	}
	fmt.Fprintln(f.t.out, recordText(r))
}

// recordText is a record for people.
func recordText(r localapi.GroupRecord) string {
	text := lines(r.Body)
	switch {
	case r.Kind != "message":
		text = strings.TrimRight("* "+printable(r.Kind)+" "+printable(r.Body), " ")
	case r.Encoding != "":
		text = printable(fmt.Sprintf("(%s, in base64) %s", r.Type, r.Body))
	}
	if r.Mark != "effective" {
		text = strings.TrimLeft(text+" ("+printable(string(r.Mark))+")", " ")
	}
	return fmt.Sprintf("%s  %s  %s", stamp(r.Created.Time), printable(who(r.Name, r.From)), text)
}
