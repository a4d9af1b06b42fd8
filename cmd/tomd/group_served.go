package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

const hubRelaysName = "hub-relays"

func hubRelaysFlag() cli.Flag {
	return &cli.StringFlag{Name: hubRelaysName, Usage: "let `PEER,...` be hub without being members: they can read nothing; \"\" for none"}
}

// hubRelays are the peers that the flag names.
func hubRelays(c *cli.Context) []string {
	return strings.FieldsFunc(c.String(hubRelaysName), func(r rune) bool { return r == ',' || r == ' ' })
}

func groupServedCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "served", Usage: "list the groups that this node serves without being in them: how much, never whose words",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			groups, err := client.ServedGroups(c.Context)
			if err != nil {
				return err
			}
			list(t, groups, "GROUP LISTED-BY PLACE MEMBERS RECORDS SIZE SINCE", func(g localapi.ServedGroup) []string {
				return []string{g.Group, who(g.Name, g.Lister), cmp.Or(g.Place, "-"), strconv.Itoa(g.Members), strconv.Itoa(g.Records), sizeText(g.Bytes), stamp(g.Since.Time)}
			})
			return nil
		}),
	}
}
