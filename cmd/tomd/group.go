package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func groupCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "group",
		Usage: "talk with several at once",
		Description: "A group is a log that every member holds for a day. One node, the hub, puts it in\n" +
			"order: a member's, or a relay's that an admin lists, which can read nothing; when it\n" +
			"goes, another takes over. A GROUP is a name, or an id or the beginning of one.",
		Subcommands: []*cli.Command{
			groupCreateCommand(t), groupInviteCommand(t), groupInvitesCommand(t), groupJoinCommand(t),
			groupSendCommand(t), groupLogCommand(t), groupListCommand(t), groupShowCommand(t), groupServedCommand(t),
			changeCommand(t, "leave", "leave a group", "GROUP", localapi.ChangeLeave, nil),
			changeCommand(t, "kick", "remove a member", "GROUP PEER", localapi.ChangeKick, changePeer),
			changeCommand(t, "role", "make a member an admin, or a mere member again", "GROUP PEER ROLE", localapi.ChangeRole, changeRole),
			changeCommand(t, "rename", "give a group another name", "GROUP NAME", localapi.ChangeRename, changeName),
			groupSetCommand(t),
			changeCommand(t, "dissolve", "end a group for all", "GROUP", localapi.ChangeDissolve, nil),
			groupHubCommand(t),
		},
	}
}

func groupCreateCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "found a group", ArgsUsage: "NAME",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "open", Usage: "let whoever knows it join without an invitation"},
			&cli.Uint64Flag{Name: "max", Usage: "at most `N` members", DefaultText: "1024"},
			hubRelaysFlag(),
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			g, err := client.CreateGroup(c.Context, localapi.NewGroup{
				Name: args[0], Open: c.Bool("open"), Max: c.Uint64("max"), HubRelays: hubRelays(c),
			})
			if err != nil {
				return err
			}
			t.print(g, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", g.Group, printable(g.Name)) })
			return nil
		}),
	}
}

func groupInviteCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "invite", Usage: "invite a peer, or make a link to join by", ArgsUsage: "GROUP [PEER]",
		Description: "An invitation for a PEER is sent to it, and waits for it when it is away. A link\n" +
			"lets in whoever has it.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "link", Usage: "make a link"},
			&cli.Uint64Flag{Name: "uses", Value: 1, Usage: "let `N` join by the link"},
			&cli.DurationFlag{Name: "expires", Value: 24 * time.Hour, Usage: "how long it is good, 24h at most"},
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			switch {
			case (args[1] == "") != c.Bool("link"):
				return usagef("group invite takes either a PEER or --link")
			case c.Uint64("uses") == 0, args[1] != "" && c.Uint64("uses") != 1:
				return usagef("--uses is 1 or more, and of a link")
			case c.Duration("expires") < time.Second:
				return usagef("--expires is 1s or more, for example 1h")
			}
			i, err := client.InviteToGroup(c.Context, args[0], localapi.NewInvite{
				Peer: args[1], Uses: c.Uint64("uses"), ExpiresS: int64(c.Duration("expires") / time.Second),
			})
			if err != nil {
				return err
			}
			t.print(i, func(w io.Writer) {
				if i.Link != "" {
					fmt.Fprintln(w, i.Link)
					return
				}
				fmt.Fprintf(w, "invited %s until %s\n", i.Invite, stamp(i.Expires.Time))
			})
			return nil
		}),
	}
}

func groupInvitesCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "invites", Usage: "list the invitations that came",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			invites, err := client.GroupInvites(c.Context)
			if err != nil {
				return err
			}
			list(t, invites, "INVITE GROUP FROM EXPIRES", func(i localapi.ReceivedInvite) []string {
				return []string{i.Invite, i.Name, who(i.FromName, i.From), stamp(i.Expires.Time)}
			})
			return nil
		}),
	}
}

func groupJoinCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "join", Usage: "join a group by a link, or an invitation that came", ArgsUsage: "LINK|INVITE",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			g, err := client.JoinGroup(c.Context, args[0])
			if err != nil {
				return err
			}
			t.print(g, func(w io.Writer) {
				fmt.Fprintf(w, "joined %s with %d members: %s\n", printable(g.Name), g.Members, g.Group)
			})
			return nil
		}),
	}
}

func groupListCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list the groups",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			groups, err := client.Groups(c.Context)
			if err != nil {
				return err
			}
			list(t, groups, "NAME GROUP MEMBERS ROLE TERM SEQ HUB", func(g localapi.GroupLine) []string {
				return []string{g.Name, g.Group, strconv.Itoa(g.Members), g.Role, number(g.Term), number(g.Seq), g.Hub}
			})
			return nil
		}),
	}
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func groupShowCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "tell who is in a group, who is hub, and who has what", ArgsUsage: "GROUP",
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			g, err := client.Group(c.Context, args[0])
			if err != nil {
				return err
			}
			t.print(g, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s\nterm %d, %d records\n", printable(g.Name), g.Group, g.Term, g.Seq)
				list(t, g.Members, "NAME ID ROLE PLACE ONLINE HAS READ", func(m localapi.GroupMember) []string {
					return []string{who(m.Name, "-"), m.ID, m.Role, hubPlace(g, m.ID), yes(m.Online), number(m.AckedSeq), number(m.ReadSeq)}
				})
				if len(g.HubRelays) == 0 {
					return
				}
				fmt.Fprintln(w)
				list(t, g.HubRelays, "RELAY ID PLACE ONLINE DECLINES", func(r localapi.GroupRelay) []string {
					return []string{who(r.Name, "-"), r.ID, hubPlace(g, r.ID), yes(r.Online), cmp.Or(r.Declines, "-")}
				})
			})
			return nil
		}),
	}
}

// hubPlace is a node's place in the hub chain.
func hubPlace(g localapi.Group, id string) string {
	switch id {
	case g.Hub:
		return "hub"
	case g.Shadow:
		return "shadow"
	case g.Candidate:
		return "candidate"
	}
	return "-"
}

func changePeer(c *localapi.GroupChange, args []string) { c.Peer = args[1] }
func changeRole(c *localapi.GroupChange, args []string) { c.Peer, c.Role = args[1], args[2] }
func changeName(c *localapi.GroupChange, args []string) { c.Name = args[1] }

// changeCommand is a command that changes something about a group.
func changeCommand(t *terminal, name, usage, args, change string, fill func(*localapi.GroupChange, []string)) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: args,
		Flags: []cli.Flag{timeoutFlag()},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			what := localapi.GroupChange{Change: change}
			if fill != nil {
				fill(&what, args)
			}
			return changeGroup(c, t, client, args[0], what)
		}),
	}
}

// changeGroup asks for a change and waits until the hub has taken it.
func changeGroup(c *cli.Context, t *terminal, client *localapi.Client, group string, change localapi.GroupChange) error {
	g, err := client.Group(c.Context, group) // its name may be another in a moment
	if err != nil {
		return err
	}
	group = g.Group
	sent, err := client.ChangeGroup(c.Context, group, change)
	if err != nil {
		return err
	}
	if sent.ID != "" {
		waited, err := client.WaitGroup(c.Context, group, sent.ID, localapi.GroupAccepted, c.Duration("timeout"))
		ends := change.Change == localapi.ChangeLeave || change.Change == localapi.ChangeDissolve
		switch {
		case err == nil:
			sent = waited
		case ends && notFound(err): // it is in, and the group forgotten here
			sent.State = localapi.GroupAccepted
		default:
			return err
		}
	}
	t.print(sent, func(w io.Writer) { fmt.Fprintln(w, sent.State) })
	return sentOutcome(sent, localapi.GroupAccepted)
}

// notFound says that the daemon does not know what was asked for.
func notFound(err error) bool {
	e := (*localapi.Error)(nil)
	return errors.As(err, &e) && e.Code == localapi.CodeNotFound
}

func groupSetCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "set", Usage: "change the settings of a group", ArgsUsage: "GROUP",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "open", Usage: "let whoever knows it join without an invitation; --open=false: not any more"},
			&cli.Uint64Flag{Name: "max", Usage: "at most `N` members"},
			&cli.DurationFlag{Name: "beat", Usage: "between two beats of the hub; the longer, the later its end is noticed"},
			hubRelaysFlag(), timeoutFlag(),
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			change := localapi.GroupChange{Change: localapi.ChangeSettings}
			if c.IsSet("open") {
				open := c.Bool("open")
				change.Open = &open
			}
			if c.IsSet("max") {
				most := c.Uint64("max")
				change.Max = &most
			}
			if c.IsSet("beat") {
				beat := uint64(c.Duration("beat").Milliseconds())
				change.BeatMS = &beat
			}
			if c.IsSet(hubRelaysName) {
				relays := hubRelays(c)
				change.HubRelays = &relays
			}
			if change == (localapi.GroupChange{Change: localapi.ChangeSettings}) {
				return usagef("group set needs one or more of --open, --max, --beat and --hub-relays")
			}
			return changeGroup(c, t, client, args[0], change)
		}),
	}
}

func groupHubCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "hub", Usage: "name the member, or the relay that is listed, that is to be hub", ArgsUsage: "GROUP",
		Flags: []cli.Flag{&cli.StringFlag{Name: "move", Usage: "hand over to `PEER`"}, timeoutFlag()},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			if c.String("move") == "" {
				return usagef("group hub needs --move PEER")
			}
			return changeGroup(c, t, client, args[0], localapi.GroupChange{Change: localapi.ChangeHub, Peer: c.String("move")})
		}),
	}
}

func groupSendCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name: "send", Usage: "write in a group", ArgsUsage: "GROUP TEXT|-",
		Description: "The message is on disk once its id is printed, and is tried for 24 hours.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "wait", Value: string(localapi.GroupDelivered), Usage: "wait for `STATE`: queued, accepted, delivered or all"},
			timeoutFlag(),
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			want := localapi.GroupState(c.String("wait"))
			switch want {
			case localapi.GroupQueued, localapi.GroupAccepted, localapi.GroupDelivered, localapi.GroupAll:
			default:
				return usagef("nothing to wait for is called %q: use queued, accepted, delivered or all", want)
			}
			content, err := readContent(t, args[1])
			if err != nil {
				return err
			}
			return sendToGroup(c.Context, t, client, args[0], content, want, c.Duration("timeout"))
		}),
	}
}

func sendToGroup(ctx context.Context, t *terminal, client *localapi.Client, group string, content localapi.Content, want localapi.GroupState, timeout time.Duration) error {
	short, cancel := context.WithTimeout(ctx, max(timeout, time.Second))
	defer cancel()
	sent, err := client.SendToGroup(short, group, content)
	if err != nil {
		return err
	}
	if !t.json {
		fmt.Fprintln(t.out, sent.ID)
	}
	if want != localapi.GroupQueued {
		waited, err := client.WaitGroup(ctx, group, sent.ID, want, timeout)
		if err != nil {
			return fmt.Errorf("the message is on disk and goes on when the daemon does: %w", err)
		}
		sent = waited
	}
	t.print(sent, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d of %d have it, %d have read it\n", sent.State, sent.Delivered, sent.Members, sent.Read)
	})
	return sentOutcome(sent, want)
}

// sentOutcome is the error a command about a record ends with.
func sentOutcome(sent localapi.GroupSent, want localapi.GroupState) error {
	switch {
	case sent.State == localapi.GroupRefused:
		return localapi.Errorf(localapi.CodeRefused, "it is refused: %s", sent.Reason)
	case !sent.State.Reached(want):
		why := ""
		if sent.Reason != "" {
			why = "; " + sent.Reason
		}
		return &notReached{fmt.Sprintf("not %s yet: it is %s, and goes on%s", want, sent.State, why)}
	}
	return nil
}
