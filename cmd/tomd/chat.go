package main

import (
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/cmd/tomd/chat"
	"github.com/tom-protocol/tom/node/localapi"
)

func chatCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "chat",
		Usage:     "talk with people and groups on the whole terminal",
		ArgsUsage: "[PEER|GROUP]",
		Description: "F1 shows the keys. What you write stays on this device until its end, as what\n" +
			"you receive does; then it goes from the screen too, though not from what the\n" +
			"terminal itself has kept. NO_COLOR does without colours.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "time", Value: "15:04", Usage: "show times in `LAYOUT`, as Go writes 15:04, such as 3:04PM"},
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			err := chat.Run(c.Context, chat.Config{
				Client: client, Open: args[0], Layout: c.String("time"),
				Env: os.Environ(), In: t.in, Out: t.out,
			})
			if none := (*chat.NoTerminalError)(nil); errors.As(err, &none) {
				return usagef("%s", none)
			}
			return err
		}),
	}
}
