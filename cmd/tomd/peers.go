package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func peersCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "peers",
		Usage: "list who is connected",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			peers, err := client.Peers(c.Context)
			if err != nil {
				return err
			}
			list(t, peers, "NAME ID PATH RTT SINCE ADDRESS", peerRow)
			return nil
		}),
	}
}

func peerRow(p localapi.Peer) []string {
	rtt := "-"
	if p.RTTMS > 0 {
		rtt = fmt.Sprintf("%.1f ms", p.RTTMS)
	}
	return []string{who(p.Name, "-"), p.ID, p.Path, rtt, stamp(p.Since.Time), p.Addr}
}
