package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func stopCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "stop",
		Usage: "stop the daemon, and return when it has ended",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			if err := client.Stop(c.Context); err != nil {
				return err
			}
			t.print(map[string]bool{"stopped": true}, func(w io.Writer) { fmt.Fprintln(w, "stopped") })
			return nil
		}),
	}
}
