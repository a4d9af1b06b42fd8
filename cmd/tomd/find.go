package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func findCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "find",
		Usage:       "ask every source of discovery where a peer is, and show each one's answer",
		ArgsUsage:   "PEER",
		Description: "Exit code 1 if none of them knows an address.",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			return find(c.Context, t, client, args[0])
		}),
	}
}

func find(ctx context.Context, t *terminal, client *localapi.Client, peer string) error {
	answers, err := client.Find(ctx, peer)
	if err != nil {
		return err
	}
	known := false
	for _, a := range answers {
		known = known || len(a.Addrs) > 0
	}
	if t.json {
		list(t, answers, "", nil)
	} else {
		t.table(func(w io.Writer) { writeFound(w, answers) })
	}
	if !known {
		return &notReached{"no source knows where " + peer + " is: ask for a contact link, which carries addresses, or try again when it is online"}
	}
	return nil
}

func writeFound(w io.Writer, answers []localapi.Found) {
	fmt.Fprintln(w, "SOURCE\tTOOK\tANSWER")
	for _, a := range answers {
		took := fmt.Sprintf("%.1f ms", a.TookMS)
		switch {
		case a.Error != "":
			fmt.Fprintf(w, "%s\t%s\t%s\n", a.Source, took, printable(a.Error))
		case len(a.Addrs) == 0:
			fmt.Fprintf(w, "%s\t%s\tdoes not know it\n", a.Source, took)
		}
		for i, addr := range a.Addrs {
			if i > 0 {
				fmt.Fprintf(w, "\t\t%s\n", printable(addr))
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", a.Source, took, printable(addr))
		}
	}
}
