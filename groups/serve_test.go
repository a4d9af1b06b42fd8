package groups_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// anyone is for a node that serves whoever asks.
func anyone() *groups.Serving {
	return &groups.Serving{Takes: func(protocols.Key) bool { return true }, Stranger: func(protocols.Key) bool { return false }}
}

// relay is a node that is in no group and serves on terms.
func (c *crowd) relay(name string, terms *groups.Serving) *groupstest.Node {
	c.t.Helper()
	n := c.settle(name)
	n.Stop()
	n.Serving = terms
	c.must(n.Start())
	return n
}

// list has the founder list relays.
func (c *crowd) list(relays ...*groupstest.Node) {
	c.t.Helper()
	_, err := c.nodes[0].Set(c.t.Context(), c.group, func(s *wire.Settings) {
		s.HubRelays = []protocols.Key{}
		for _, n := range relays {
			s.HubRelays = append(s.HubRelays, n.Key)
		}
	})
	c.must(err)
}

// becomes waits until a member knows the group to be so.
func (c *crowd) becomes(n *groupstest.Node, what string, is func(i groups.Info) bool) groups.Info {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Minute)
	defer cancel()
	for {
		news, err := n.News(ctx, c.group)
		c.must(err)
		i, err := n.Show(ctx, c.group)
		c.must(err)
		if is(i) {
			return i
		}
		select {
		case <-news:
		case <-ctx.Done():
			c.t.Fatalf("%s: it never becomes so: %s: %+v", n.Name, what, i)
		}
	}
}

// shadowed waits until a relay is the shadow.
func (c *crowd) shadowed(n, relay *groupstest.Node) {
	c.t.Helper()
	c.becomes(n, "the relay is shadow", func(i groups.Info) bool { return i.Shadow == relay.Key })
}

// servedBy is what a relay serves.
func (c *crowd) servedBy(n *groupstest.Node) []groups.Served {
	c.t.Helper()
	list, err := n.Served(c.t.Context())
	c.must(err)
	return list
}

// letGo waits until a relay serves nothing, and has nothing of the group on disk.
func (c *crowd) letGo(n *groupstest.Node) {
	c.t.Helper()
	for tries := 0; len(c.servedBy(n)) > 0 || c.rows(n) > 0; tries++ {
		if tries == 600 {
			c.t.Fatalf("it serves %+v still, with %d rows", c.servedBy(n), c.rows(n))
		}
		virtual.Pass(100 * time.Millisecond)
	}
}

func (c *crowd) rows(n *groupstest.Node) (rows int) {
	c.t.Helper()
	c.must(n.Disk.Scan(c.group[:], func(_, _ []byte) error { rows++; return nil }))
	return rows
}

// The relay that an admin lists is shadow, takes over when the hub dies, and lets a
// member take over from it. It can read nothing and is in no count, and what it
// serves is shown to nobody as a group of its own.
func TestARelayServesAGroupThatItIsNotIn(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		r := c.relay("relay", anyone())
		c.write(c.nodes[1], "before", 2)
		c.list(r)
		c.shadowed(c.nodes[2], r)
		c.nodes[0].Stop()
		if st := c.write(c.nodes[1], "the founder is dead", 1); st.Members != 2 || st.Place.Primary != r.Key {
			c.t.Errorf("by %s, %+v", st.Place.Primary, st)
		}
		i := c.becomes(c.nodes[2], "the relay is hub", func(i groups.Info) bool { return i.Hub == r.Key && i.Shadow != protocols.Key{} })
		if len(i.Members) != 3 || len(i.Relays) != 1 || i.Relays[0].Node != r.Key || i.Relays[0].Declines != "" {
			c.t.Errorf("then %+v", i)
		}
		in, err := r.List(c.t.Context())
		c.must(err)
		served := c.servedBy(r)
		if len(in) != 0 || len(served) != 1 || served[0].Lister != c.nodes[0].Key || served[0].Members != 3 || served[0].Bytes == 0 || served[0].Hub != r.Key {
			c.t.Errorf("the relay is in %+v, and serves %+v", in, served)
		}
		if _, err := r.Log(c.t.Context(), c.group, 0, 10, 0); err == nil {
			c.t.Error("the relay's user can look into the log")
		}
		if told, _ := r.Events(); len(told) != 0 {
			c.t.Errorf("the relay's user is told %+v", told)
		}
		c.must(c.nodes[0].Start())
		c.write(c.nodes[0], "back", 2)
		r.Stop()
		if st := c.write(c.nodes[2], "the relay is dead", 2); st.Place.Primary == r.Key {
			c.t.Errorf("%+v", st)
		}
		c.alike(6)
	})
}

// alike checks that all members have the same log of so many messages and settings,
// each once.
func (c *crowd) alike(least int) {
	c.t.Helper()
	var first []wire.RecordID
	for _, n := range c.nodes {
		var ids []wire.RecordID
		for _, l := range c.log(n) {
			if slices.Contains(ids, l.ID) || l.Mark != groups.Effective && l.Mark != groups.Moved {
				c.t.Errorf("%s has %+v", n.Name, l)
			}
			ids = append(ids, l.ID)
		}
		if first == nil {
			first = ids
		}
		if !slices.Equal(first, ids) || len(ids) < least {
			c.t.Errorf("%s has %v, and not %v", n.Name, ids, first)
		}
	}
}

// A relay that is hub puts into order what takes it out, hands over, and forgets.
func TestARelayThatIsListedNoMoreLetsGo(t *testing.T) {
	t.Parallel()
	for _, as := range []string{"hub", "shadow", "away", "restarted"} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			inTown(t, 3, func(c *crowd) {
				r := c.relay("relay", anyone())
				c.list(r)
				c.shadowed(c.nodes[2], r)
				switch as {
				case "hub":
					c.must(c.nodes[0].Move(c.t.Context(), c.group, r.Key))
					c.becomes(c.nodes[2], "the relay is hub", func(i groups.Info) bool { return i.Hub == r.Key })
				case "away":
					r.Stop()
				case "restarted":
					r.Stop()
					c.must(r.Start())
				}
				c.list()
				if as == "away" {
					c.becomes(c.nodes[2], "no relay is shadow", func(i groups.Info) bool { return i.Shadow != r.Key && len(i.Relays) == 0 })
					c.must(r.Start())
				}
				c.letGo(r)
				c.becomes(c.nodes[1], "a member is hub", func(i groups.Info) bool {
					return slices.ContainsFunc(i.Members, func(m groups.MemberInfo) bool { return m.Node == i.Hub }) && i.Shadow != r.Key && i.Candidate != r.Key
				})
				for _, n := range c.nodes {
					c.write(n, "without it", 2)
				}
			})
		})
	}
}

func TestARelayLetsGoOfADissolvedGroup(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		r := c.relay("relay", anyone())
		c.list(r)
		c.shadowed(c.nodes[1], r)
		_, err := c.nodes[0].Dissolve(c.t.Context(), c.group)
		c.must(err)
		c.letGo(r)
	})
}

// A relay that stopped goes on with what it served, unless its user forbids it.
func TestARelayGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		r := c.relay("relay", anyone())
		c.list(r)
		c.shadowed(c.nodes[2], r)
		r.Stop()
		c.must(r.Start())
		if len(c.servedBy(r)) != 1 {
			c.t.Error("it has forgotten what it served")
		}
		c.nodes[0].Stop()
		c.write(c.nodes[1], "the founder is dead", 1)
		c.becomes(c.nodes[2], "somebody leads", func(i groups.Info) bool { return i.Hub != c.nodes[0].Key })
		r.Stop()
		r.Serving = nil
		c.must(r.Start())
		if len(c.servedBy(r)) != 0 || c.rows(r) != 0 {
			c.t.Errorf("it serves %+v although its user forbids it, with %d rows", c.servedBy(r), c.rows(r))
		}
		c.write(c.nodes[1], "without it", 1)
	})
}

// Who lists a relay that does not serve the group is told, and so is the hub's user.
func TestARelayThatDeclinesSaysSo(t *testing.T) {
	t.Parallel()
	strangers := func(protocols.Key) bool { return true }
	for name, terms := range map[string]*groups.Serving{
		"forbidden":      nil,
		"not this admin": {Takes: func(protocols.Key) bool { return false }, Stranger: strangers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTown(t, 3, func(c *crowd) {
				r := c.relay("relay", terms)
				c.write(c.nodes[1], "before", 2)
				c.must(c.nodes[0].Move(c.t.Context(), c.group, c.nodes[1].Key))
				c.becomes(c.nodes[0], "another is hub", func(i groups.Info) bool { return i.Hub == c.nodes[1].Key })
				c.list(r)
				for _, n := range c.nodes[:2] { // the admin, and the hub
					c.becomes(n, "the relay has declined", func(i groups.Info) bool { return len(i.Relays) == 1 && i.Relays[0].Declines != "" })
					e, err := n.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Declined })
					if err != nil || e.Peer != r.Key || e.Detail == "" {
						c.t.Errorf("%s is told %+v, %v", n.Name, e, err)
					}
				}
				if len(c.servedBy(r)) != 0 || c.rows(r) != 0 {
					c.t.Error("it serves the group all the same")
				}
			})
		})
	}
}

// However many groups an admin, or all strangers together, list a node in: it serves
// a few, and says so.
func TestARelayServesOnlySoMany(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name          string
		admins, of    int
		stranger      bool
		served, turns int
	}{{"one admin's", 1, 6, false, 4, 2}, {"strangers'", 5, 3, true, 8, 7}, {"all", 12, 3, false, 32, 4}} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			inTown(t, 1, func(c *crowd) {
				r := c.relay("relay", &groups.Serving{
					Takes: func(protocols.Key) bool { return true }, Stranger: func(protocols.Key) bool { return x.stranger },
				})
				declined := 0
				for i := range x.admins {
					n := c.settle(fmt.Sprint("admin ", i))
					for range x.of {
						_, err := n.Create(wire.Settings{Name: "one of many", Max: 9, Beat: wire.MaxBeat, HubRelays: []protocols.Key{r.Key}})
						c.must(err)
					}
					virtual.Pass(time.Minute)
					told, _ := n.Events()
					for _, e := range told {
						if e.What == groups.Declined {
							declined++
						}
					}
				}
				if served := len(c.servedBy(r)); served != x.served || declined != x.turns {
					c.t.Errorf("it serves %d groups, and %d admins' were told that it does not", served, declined)
				}
			})
		})
	}
}

// Who is invited into a group that its node serves goes in as anybody else.
func TestARelayMayBecomeAMember(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		r := c.relay("relay", anyone())
		c.list(r)
		c.shadowed(c.nodes[1], r)
		_, err := r.Join(c.t.Context(), c.link)
		c.must(err)
		c.nodes = append(c.nodes, r)
		for _, n := range c.nodes {
			c.write(n, "hello", 2)
		}
		if len(c.servedBy(r)) != 0 {
			c.t.Errorf("it serves %+v", c.servedBy(r))
		}
		if i := c.becomes(c.nodes[0], "three are in", func(i groups.Info) bool { return len(i.Members) == 3 }); len(i.Relays) != 0 {
			c.t.Errorf("a member is a relay too: %+v", i.Relays)
		}
	})
}

// A group of which nobody was heard for a day is let go.
func TestARelayForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		_, err := c.nodes[0].Set(c.t.Context(), c.group, func(s *wire.Settings) { s.Beat = wire.MaxBeat })
		c.must(err)
		r := c.relay("relay", anyone())
		c.list(r)
		c.shadowed(c.nodes[1], r)
		virtual.Pass(25 * time.Hour)
		if len(c.servedBy(r)) != 1 {
			c.t.Error("it has let go of a quiet group")
		}
		for _, n := range c.nodes {
			n.Stop()
		}
		virtual.Pass(23 * time.Hour)
		if len(c.servedBy(r)) != 1 {
			c.t.Error("it has let go of a group that slept for less than a day")
		}
		virtual.Pass(2 * time.Hour)
		c.letGo(r)
	})
}

// Only what an admin signed makes a node serve: a stranger, a replay of another
// group's listing, and one that lists another do not.
func TestAForgedListingIsRefused(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		r, other := c.relay("relay", anyone()), c.relay("other", nil)
		c.list(other)
		var offer *wire.Offer
		c.town.Drop(func(_, to protocols.Key, hub bool, frame []byte) bool {
			if o, ok := frameOf[*wire.Offer](hub, frame); ok && to == other.Key {
				offer = o
			}
			return false
		})
		virtual.Pass(time.Minute)
		if offer == nil {
			c.t.Fatal("nothing was offered")
		}
		forge := func(name string, change func(o *wire.Offer)) {
			o := *offer
			change(&o)
			c.must(c.town.Inject(c.nodes[1], r, true, wire.AppendFrame(nil, &o)))
			virtual.Pass(time.Second)
			if len(c.servedBy(r)) != 0 || len(r.Misdeeds(c.nodes[1].Key)) == 0 {
				c.t.Errorf("%s: it serves %+v", name, c.servedBy(r))
			}
		}
		settings := func(by *groupstest.Node, group wire.GroupID, k protocols.Key) []byte {
			s := wire.Settings{Name: "x", Max: 9, Beat: 500, HubRelays: []protocols.Key{k}}
			return wire.SignRecords(by.Signer, []wire.Record{{Group: group, ID: wire.RecordID{1}, Kind: wire.KindSettings, Time: 1, Payload: s.Append(nil)}})[0]
		}
		forge("it lists another", func(*wire.Offer) {})
		forge("no listing", func(o *wire.Offer) { o.Listing = nil })
		forge("of another group", func(o *wire.Offer) { o.Listing = settings(c.nodes[0], wire.GroupID{1}, r.Key) })
		forge("not signed", func(o *wire.Offer) {
			o.Listing = settings(c.nodes[0], c.group, r.Key)
			o.Listing[len(o.Listing)-1]++
		})
		forge("another charter", func(o *wire.Offer) {
			o.Listing = settings(c.nodes[0], c.group, r.Key)
			o.Charter = wire.Charter{Settings: wire.Settings{Max: 9, Beat: 500}}.Sign(c.nodes[1].Signer)
		})
	})
}
