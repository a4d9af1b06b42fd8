package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func traceCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "tell every attempt of a message: when, which path, what came back, what comes next",
		ArgsUsage: "ID",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			trace, err := client.Trace(c.Context, args[0])
			if err != nil {
				return err
			}
			t.print(trace, func(io.Writer) { t.table(func(w io.Writer) { writeTrace(w, trace) }) })
			return nil
		}),
	}
}

// how an attempt went: what carried it, and the relays in their order.
func how(a localapi.Attempt) string {
	if len(a.Via) == 0 {
		return a.Transport
	}
	return strings.TrimSpace(a.Transport + " via " + strings.Join(a.Via, ", "))
}

func writeTrace(w io.Writer, trace localapi.Trace) {
	fmt.Fprintf(w, "%s to %s: %s\n", trace.ID, trace.To, trace.State)
	if !trace.ForwardSecret {
		fmt.Fprintln(w, "not forward secret: sealed to the recipient's identity, for want of a prekey")
	}
	for _, a := range trace.Attempts {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", a.At.Local().Format("Jan _2 15:04:05.000"), a.Path, printable(how(a)), printable(who(a.Result, "no answer yet")))
	}
	writeHolders(w, trace)
	if !trace.Next.IsZero() {
		fmt.Fprintf(w, "next try %s\n", stamp(trace.Next.Time))
	}
	if trace.SupersededBy != "" {
		fmt.Fprintf(w, "sealed anew as %s\n", trace.SupersededBy)
	}
}

// writeHolders tells who keeps a message, or kept it and is to forget it.
func writeHolders(w io.Writer, trace localapi.Trace) {
	if len(trace.Holders) == 0 {
		return
	}
	over := trace.State.Reached(localapi.Delivered)
	if over {
		fmt.Fprintln(w, "was held by") // a table of its own
	} else {
		fmt.Fprintln(w, "held by")
	}
	for _, h := range trace.Holders {
		if over {
			fmt.Fprintf(w, "  %s\ttold to forget it: %s\n", h.ID, yes(h.Told))
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\tlive: %s\n", h.ID, promise(h), yes(h.Live))
	}
}

// promise is until when a holder has signed, which it may have done for another.
func promise(h localapi.Holder) string {
	if h.Until.IsZero() {
		return "signed to another holder"
	}
	return "until " + stamp(h.Until.Time)
}
