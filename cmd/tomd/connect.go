package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func connectCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "connect",
		Usage:     "connect to a multiaddr with /p2p/… or to a contact link",
		ArgsUsage: "TARGET",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			p, err := client.Connect(c.Context, args[0])
			if err != nil {
				return err
			}
			t.print(p, func(w io.Writer) {
				fmt.Fprintf(w, "connected to %s (%s) at %s\n", printable(who(p.Name, "a peer")), p.ID, p.Addr)
			})
			return nil
		}),
	}
}
