package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func doctorCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "tell how this node can be reached, what limits it, and what to do about it",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			d, err := client.Doctor(c.Context)
			if err != nil {
				return err
			}
			t.print(d, func(io.Writer) { t.table(func(w io.Writer) { writeDoctor(w, d) }) })
			return nil
		}),
	}
}

func writeDoctor(w io.Writer, d localapi.Doctor) {
	fmt.Fprintf(w, "reachability\t%s\n", d.Reachability)
	for _, nat := range []struct {
		transport string
		localapi.NAT
	}{{"UDP", d.UDP}, {"TCP", d.TCP}} {
		fmt.Fprintf(w, "NAT for %s\tmapping %s, filtering %s\n", nat.transport, nat.Mapping, nat.Filtering)
	}
	for _, way := range d.Ways {
		fmt.Fprintf(w, "strangers' %s over IPv%d\t%s\n", strings.ToUpper(way.Transport), way.IP, way.State)
	}
	for _, line := range []struct {
		name   string
		values []string
	}{{"seen from outside at", d.Outside}, {"router's port mappings", d.PortMappings}, {"reachable through relays", d.Relays}} {
		fmt.Fprintf(w, "%s\t%s\n", line.name, printable(who(strings.Join(line.values, ", "), "none")))
	}
	fmt.Fprintf(w, "relays for others\t%s\n", yes(d.Serving))
	fmt.Fprintf(w, "clock\t%+d ms\n", d.ClockOffsetMS)
	writeFindings(w, d.Findings)
}

func writeFindings(w io.Writer, findings []localapi.Finding) {
	if len(findings) == 0 {
		fmt.Fprintln(w, "nothing found that limits this node")
	}
	for _, f := range findings {
		fmt.Fprintf(w, "! %s\n", printable(f.Problem))
		if f.Advice != "" {
			fmt.Fprintf(w, "  %s\n", printable(f.Advice))
		}
	}
}
