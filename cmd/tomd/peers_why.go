package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func peersWhyCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "why",
		Usage:     "tell what this node measured of a peer, and what follows from it",
		ArgsUsage: "PEER",
		Description: "All of it is this node's own experience, is never told to others, and halves\n" +
			"every day. The weight says whose turn comes first when this node relays under\n" +
			"load; 1 is neutral, and nobody's is 0.",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			m, err := client.Measured(c.Context, args[0])
			if err != nil {
				return err
			}
			t.print(m, func(io.Writer) { t.table(func(w io.Writer) { writeMeasured(w, m) }) })
			return nil
		}),
	}
}

func writeMeasured(w io.Writer, m localapi.Measured) {
	fmt.Fprintf(w, "%s\t%s\n", printable(who(m.Name, "peer")), m.ID)
	fmt.Fprintf(w, "connected\t%s\n", yes(m.Connected))
	if !m.Known {
		fmt.Fprintln(w, "nothing was measured yet, so it counts as neutral")
	} else {
		fmt.Fprintf(w, "success as a relay\t%.0f%%\n", 100*m.Success)
		fmt.Fprintf(w, "its hop answers take\t%s\n", milliseconds(m.LatencyMS))
		fmt.Fprintf(w, "last used\t%s\n", stamp(m.Used.Time))
	}
	fmt.Fprintf(w, "weight under load\t%.2f\n", m.Weight)
	for _, term := range m.Terms {
		fmt.Fprintf(w, "  × %.2f\t%s: %.1f\n", term.Factor, printable(term.What), term.Count)
	}
}
