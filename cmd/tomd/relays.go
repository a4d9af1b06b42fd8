package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func relaysCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "relays",
		Usage: "list the relays known, the one that would be asked first on top, and why",
		Description: "RESERVED relays are those through which this node can be reached. SUCCESS is\n" +
			"this node's own experience, and fades.",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			relays, err := client.Relays(c.Context)
			if err != nil {
				return err
			}
			list(t, relays, "RANK NAME ID CONNECTED RESERVED SUCCESS LATENCY LOAD WHY", relayRow)
			return nil
		}),
	}
}

func relayRow(r localapi.Relay) []string {
	return []string{
		strconv.Itoa(r.Rank), who(r.Name, "-"), r.ID, yes(r.Connected), yes(r.Reserved),
		fmt.Sprintf("%.0f%%", 100*r.Success), milliseconds(r.LatencyMS), fmt.Sprintf("%.0f%%", 100*r.Load), r.Why,
	}
}
