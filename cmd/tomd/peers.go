package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func peersCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "peers",
		Usage:       "list who is connected; tell what was measured of a peer",
		Subcommands: []*cli.Command{peersWhyCommand(t)},
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			peers, err := client.Peers(c.Context)
			if err != nil {
				return err
			}
			list(t, peers, "NAME ID PATH TRANSPORT VIA RTT SINCE ADDRESS", peerRow)
			return nil
		}),
	}
}

func peerRow(p localapi.Peer) []string {
	return []string{who(p.Name, "-"), p.ID, p.Path, who(p.Transport, "-"), who(p.Via, "-"), milliseconds(p.RTTMS), stamp(p.Since.Time), p.Addr}
}

// milliseconds is a measured time, a dash while there is none.
func milliseconds(ms float64) string {
	if ms <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", ms)
}
