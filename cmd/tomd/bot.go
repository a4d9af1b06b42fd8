package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/cmd/tomd/bot"
	"github.com/tom-protocol/tom/node/localapi"
)

func botCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "bot",
		Usage:     "answer what is unread, without a person",
		ArgsUsage: "[-- ARG…]",
		Description: "With --exec each message is given to CMD with the ARGs on its standard input, and\n" +
			"what it prints is the answer: at most 64 KiB within 30 seconds; nothing, if it\n" +
			"prints nothing or fails. No shell is involved. The environment says what it\n" +
			"answers: TOM_FROM (peer id), TOM_NAME (petname, or a claim with ?), TOM_ID,\n" +
			"TOM_TYPE (content type), TOM_CREATED (RFC 3339), TOM_STRANGER (true or false),\n" +
			"and in a group TOM_GROUP (its id) and TOM_GROUP_NAME, which are empty otherwise.\n\n" +
			"What is answered is marked as read, and what is read is not answered. Each\n" +
			"message is answered once, whoever crashes. No bot answers another's answer.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "exec", Usage: "have `CMD` say what to answer"},
			&cli.BoolFlag{Name: "echo", Usage: "answer with the same text"},
			&cli.BoolFlag{Name: "accept-invites", Usage: "join every group that somebody invites to"},
		},
		Action: func(c *cli.Context) error {
			command, err := botAnswers(c)
			if err != nil {
				return err
			}
			return withClient(c, func(client *localapi.Client) error {
				var mu sync.Mutex // reports come from several goroutines
				err := bot.Run(c.Context, bot.Config{
					Client: client, Command: command, Accept: c.Bool("accept-invites"),
					Tell: func(r bot.Report) {
						mu.Lock()
						defer mu.Unlock()
						t.print(r, func(w io.Writer) { fmt.Fprintln(w, printable(botLine(r))) })
					},
				})
				if errors.Is(err, context.Canceled) {
					return nil // it was told to stop
				}
				return err
			})
		},
	}
}

// botAnswers is what is to say the answers; nil for echoes.
func botAnswers(c *cli.Context) (bot.Command, error) {
	program, args := c.String("exec"), c.Args().Slice()
	switch {
	case program == "" && !c.Bool("echo"):
		return nil, usagef("bot needs --exec CMD or --echo")
	case program != "" && c.Bool("echo"):
		return nil, usagef("bot takes either --exec or --echo")
	case program == "" && len(args) > 0:
		return nil, usagef("bot --echo takes no argument, and there is %q", args[0])
	case program == "":
		return nil, nil
	}
	command, err := append(bot.Command{program}, args...).LookUp()
	if err != nil {
		return nil, usagef("--exec: %v", err)
	}
	return command, nil
}

// botLine is a report for people.
func botLine(r bot.Report) string {
	from := who(r.Name, r.From)
	if r.Group != "" {
		from += " in " + who(r.GroupName, r.Group)
	}
	switch r.What {
	case "ready":
		return "ready: answering what is unread"
	case "away":
		return "waiting for the daemon: " + r.Reason
	case "answered":
		return fmt.Sprintf("%s: answered %s with %d bytes", from, r.ID, r.Bytes)
	case "known":
		return fmt.Sprintf("%s: %s was answered before", from, r.ID)
	case "silent":
		return fmt.Sprintf("%s: nothing to say to %s", from, r.ID)
	case "failed":
		return fmt.Sprintf("%s: no answer to %s: %s", from, r.ID, r.Reason)
	case "joined":
		return fmt.Sprintf("joined %s by the invitation of %s", who(r.GroupName, r.Group), who(r.Name, r.From))
	default:
		return fmt.Sprintf("cannot join %s: %s", who(r.GroupName, r.Group), r.Reason)
	}
}
