package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func statusCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show addresses, reachability, peers, queues, versions, clock",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			s, err := client.Status(c.Context)
			if err != nil {
				return err
			}
			t.print(s, func(io.Writer) { t.table(func(w io.Writer) { writeStatus(w, s) }) })
			return nil
		}),
	}
}

func writeStatus(w io.Writer, s localapi.Status) {
	for _, line := range []struct {
		name  string
		value any
	}{
		{"id", s.ID},
		{"version", s.Version + " (tomd " + version() + ")"},
		{"up", duration(time.Duration(s.UptimeMS) * time.Millisecond)},
		{"reachability", s.Reachability},
		{"peers", s.Peers},
		{"queued", s.Queued},
		{"waiting", s.Waiting},
		{"holding", s.Holding},
		{"clock", fmt.Sprintf("%+d ms", s.ClockOffsetMS)},
	} {
		fmt.Fprintf(w, "%s\t%v\n", line.name, line.value)
	}
	if s.LowMemory {
		fmt.Fprintln(w, "memory\tlow")
	}
	if s.Chaos != "" {
		fmt.Fprintf(w, "CHAOS\t%s\n", printable(s.Chaos))
	}
	for i, addr := range s.Addrs {
		name := "listening on"
		if i > 0 {
			name = ""
		}
		fmt.Fprintf(w, "%s\t%s\n", name, addr)
	}
	for _, notice := range s.Notices {
		fmt.Fprintf(w, "note\t%s\n", printable(notice))
	}
}
