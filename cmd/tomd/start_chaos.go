package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/weather"
	"github.com/tom-protocol/tom/protocols"
)

func chaosFlag() cli.Flag {
	return &cli.StringFlag{
		Name:  "chaos",
		Usage: "spoil this node's own streams by `WEATHER`, to see what runs over them in it: " + weather.Example + ", or some of that; needs a --network of its own",
	}
}

// checkChaos refuses weather that means nothing, or that others would have to
// live with.
func checkChaos(c *cli.Context) error {
	if !c.IsSet("chaos") {
		return nil
	}
	if _, err := weather.Parse(c.String("chaos")); err != nil {
		return usagef("--chaos: %v", err)
	}
	if network := c.String("network"); network == "" || network == string(protocols.Main) {
		return usagef("--chaos is refused on the network %q, where others meet: give all nodes of the test --network chaos, for example", protocols.Main)
	}
	return nil
}

// warnOfChaos says aloud what nobody should find out by measuring.
func warnOfChaos(c *cli.Context, t *terminal) {
	if c.IsSet("chaos") {
		fmt.Fprintf(t.err, "\n*** CHAOS ***  this node spoils its own streams on purpose: %s\n"+
			"*** CHAOS ***  what it does and measures is no sign of how it does without --chaos\n\n", c.String("chaos"))
	}
}
