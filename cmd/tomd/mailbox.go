package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func mailboxCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "mailbox",
		Usage: "show what this node keeps for others who are away: how much, never whose words",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			m, err := client.Mailbox(c.Context)
			if err != nil {
				return err
			}
			t.print(m, func(io.Writer) { t.table(func(w io.Writer) { writeMailbox(w, m) }) })
			return nil
		}),
	}
}

func writeMailbox(w io.Writer, m localapi.Mailbox) {
	fmt.Fprintf(w, "keeps for others\t%s\n", yes(m.Offers))
	fmt.Fprintf(w, "messages\t%d\n", m.Messages)
	fmt.Fprintf(w, "recipients\t%d\n", m.Recipients)
	fmt.Fprintf(w, "room taken\t%s of %s\n", sizeText(m.Bytes), sizeText(m.Quota))
	fmt.Fprintf(w, "room for one sender\t%s\n", sizeText(m.PerAuthor))
	fmt.Fprintf(w, "room for one recipient\t%s, half of it for strangers\n", sizeText(m.PerRecipient))
	if !m.Oldest.IsZero() {
		fmt.Fprintf(w, "oldest\t%s\n", stamp(m.Oldest.Time))
	}
	fmt.Fprintf(w, "delivered, not yet forgotten\t%d\n", m.Ended)
}
