package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func logCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "log",
		Usage:     "set the running daemon's log level: debug, info, warn or error",
		ArgsUsage: "LEVEL",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			if err := client.SetLogLevel(c.Context, args[0]); err != nil {
				return err
			}
			t.print(map[string]string{"level": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "the daemon logs at level", args[0]) })
			return nil
		}),
	}
}
