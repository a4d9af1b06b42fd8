package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func contactCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "contact",
		Usage: "give peers names of your own",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "name a peer; without NAME as its link says", ArgsUsage: "TARGET [NAME]",
				Action: onContact(t, "added", func(ctx context.Context, client *localapi.Client, args []string) (localapi.Contact, error) {
					return client.AddContact(ctx, args[0], args[1])
				}),
			},
			{
				Name: "list", Usage: "list the contacts",
				Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
					contacts, err := client.Contacts(c.Context)
					if err != nil {
						return err
					}
					list(t, contacts, "NAME ID STATE SEEN MUTED ADDED", contactRow)
					return nil
				}),
			},
			{
				Name: "remove", Usage: "forget a contact", ArgsUsage: "PEER",
				Action: onContact(t, "removed", func(ctx context.Context, client *localapi.Client, args []string) (localapi.Contact, error) {
					return client.RemoveContact(ctx, args[0])
				}),
			},
			{
				Name: "rename", Usage: "change a contact's name", ArgsUsage: "PEER NAME",
				Action: onContact(t, "renamed", func(ctx context.Context, client *localapi.Client, args []string) (localapi.Contact, error) {
					return client.RenameContact(ctx, args[0], args[1])
				}),
			},
		},
	}
}

func contactRow(c localapi.Contact) []string {
	return []string{who(c.Name, "-"), c.ID, string(c.State), stamp(c.Seen.Time), yes(c.Muted), stamp(c.Added.Time)}
}

// onContact is a command that changes one contact and shows it.
func onContact(t *terminal, done string, change func(context.Context, *localapi.Client, []string) (localapi.Contact, error)) cli.ActionFunc {
	return action(func(c *cli.Context, client *localapi.Client, args []string) error {
		contact, err := change(c.Context, client, args)
		if err != nil {
			return err
		}
		t.print(contact, func(w io.Writer) {
			fmt.Fprintf(w, "%s %s (%s)\n", done, printable(who(contact.Name, "a peer")), contact.ID)
		})
		return nil
	})
}
