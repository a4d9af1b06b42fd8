package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func muteCommand(t *terminal, muted bool) *cli.Command {
	c := &cli.Command{Name: "mute", Usage: "hear no more of a peer: its messages are receipted, and listed only with inbox --requests", ArgsUsage: "PEER"}
	if !muted {
		c.Name, c.Usage = "unmute", "hear of a peer again"
	}
	c.Action = onContact(t, c.Name+"d", func(ctx context.Context, client *localapi.Client, args []string) (localapi.Contact, error) {
		return client.Mute(ctx, args[0], muted)
	})
	return c
}
