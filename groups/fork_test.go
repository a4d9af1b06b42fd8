package groups_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// tap keeps the newest page that a hub sent to a member.
type tap struct {
	mu   sync.Mutex
	page *wire.Records
	lost *wire.Records // since it is deaf
	deaf bool          // the member gets nothing of the hub's log any more
}

// listen taps the line from one node to another.
func (c *crowd) listen(from, to *groupstest.Node) *tap {
	x := new(tap)
	c.town.Drop(func(f, t protocols.Key, hub bool, frame []byte) bool {
		page, ok := frameOf[*wire.Records](hub, frame)
		if !ok || f != from.Key || t != to.Key {
			return false
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.deaf {
			x.lost = page
			return true
		}
		x.page = page
		return false
	})
	return x
}

// fork makes the page in which a hub puts records behind what the member has.
func (x *tap) fork(t testing.TB, hub *groupstest.Node, list ...*wire.Record) *wire.Records {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	head, err := wire.ParseHead(protocols.Main, x.page.Head)
	if err != nil {
		t.Fatal(err)
	}
	forged := wire.Head{Group: head.Group, Term: head.Term, Seq: head.Seq, Log: head.Log, Time: wire.Millis(time.Now().UnixMilli())}
	var entries [][]byte
	for _, rec := range list {
		raw := (&wire.Entry{Record: rec}).Append(nil)
		forged.Seq++
		forged.Log = forged.Log.Next(wire.Place{Number: head.Term.Number, Primary: hub.Key, Seq: forged.Seq}, raw)
		entries = append(entries, raw)
	}
	return wire.Records{
		Group: head.Group, Runs: []wire.Run{{Entries: uint32(len(list)), Number: head.Term.Number, Primary: hub.Key}},
		First: head.Seq + 1, Before: head.Log, Entries: entries, Head: forged.Sign(hub.Signer),
	}.FanOut()
}

// A hub shows one member another log than the rest, or what all others see in another
// order. The member hears nothing else of it, but what is said on the topic gives the
// hub away: all are told, another leads, and all logs are one.
func TestAHubThatForksTheLogIsFoundOutPastTheHub(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(rename func(string) *wire.Record) (others, victim []*wire.Record){
		"another record": func(rename func(string) *wire.Record) (others, victim []*wire.Record) {
			return nil, []*wire.Record{rename("for you alone")}
		},
		"another order": func(rename func(string) *wire.Record) (others, victim []*wire.Record) {
			a, b := rename("last"), rename("first")
			return []*wire.Record{b, a}, []*wire.Record{a, b}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forks(t, lie)
		})
	}
}

func forks(t *testing.T, lie func(rename func(string) *wire.Record) (others, victim []*wire.Record)) {
	t.Helper()
	inTown(t, 5, func(c *crowd) {
		for _, n := range c.nodes {
			c.write(n, "hello", 4)
		}
		virtual.Pass(5 * time.Second) // a shadow and a candidate are named
		hub := c.nodes[0]
		i, err := hub.Show(c.t.Context(), c.group)
		c.must(err)
		victim := c.nodes[slices.IndexFunc(c.nodes, func(n *groupstest.Node) bool {
			return n != hub && n.Key != i.Shadow && n.Key != i.Candidate
		})]
		line := c.listen(hub, victim)
		c.write(hub, "the last that both see", 4)
		line.mu.Lock()
		line.deaf = true
		line.mu.Unlock()
		others, alone := lie(func(name string) *wire.Record {
			return c.signed(hub, wire.KindRename, (&wire.Rename{Name: name}).Append(nil))
		})
		c.must(c.town.Inject(hub, victim, false, wire.AppendFrame(nil, line.fork(c.t, hub, alone...))))
		for _, r := range others {
			c.must(c.town.Inject(c.nodes[1], hub, false, publish(c, r.Bytes())))
		}
		c.write(hub, "for all others", 3)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
		defer cancel()
		for _, n := range c.nodes[1:] {
			_, err := n.Told(ctx, func(e groups.Event) bool { return e.What == groups.Forked && e.Peer == hub.Key })
			c.must(err)
		}
		c.t.Logf("found out after %v", time.Since(begun))
		_, err = victim.Told(ctx, func(e groups.Event) bool { return e.What == groups.NewHub && e.Peer != hub.Key })
		c.must(err)
		honest := c.nodes[1:]
		c.write(honest[0], "without it", 3)
		c.same(honest)
	})
}

// same waits until nodes hold one log in which all has the same effect.
func (c *crowd) same(among []*groupstest.Node) {
	c.t.Helper()
	why := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); virtual.Pass(time.Second) {
		want, err := among[0].Log(c.t.Context(), c.group, 0, 1000, 0)
		c.must(err)
		why = ""
		for _, n := range among[1:] {
			got, err := n.Log(c.t.Context(), c.group, 0, 1000, 0)
			c.must(err)
			if !slices.EqualFunc(got, want, func(a, b groups.Line) bool { return a.ID == b.ID && a.Place == b.Place }) {
				why = n.Name + " holds another log than " + among[0].Name
			}
		}
		if why == "" {
			return
		}
	}
	c.t.Error(why)
}

// One topic a group, whose name only members can make; what nobody signed, or is
// too much, does not go on.
func TestATopicTakesOnlyWhatIsSignedAndNotTooMuch(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		names := c.town.Topics()
		if len(names) != 1 {
			c.t.Fatalf("topics %q", names)
		}
		evil := c.settle("evil")
		head := func(s protocols.Signer, g wire.GroupID) []byte {
			h := wire.Head{Group: g, Term: wire.Term{Number: 1}, Seq: 1, Time: wire.Millis(time.Now().UnixMilli())}
			return wire.AppendFrame(nil, &wire.TopicHead{Head: h.Sign(s)})
		}
		bad := head(c.nodes[0].Signer, c.group)
		bad[len(bad)-1] ^= 1
		for name, b := range map[string][]byte{
			"rubbish": []byte("rubbish"), "nothing": nil, "too much": make([]byte, 1<<20),
			"what nobody signed": bad, "of another group": head(c.nodes[0].Signer, wire.GroupID{1}),
		} {
			if n := c.town.Say(names[0], b); n > 0 {
				c.t.Errorf("%d take %s", n, name)
			}
		}
		taken := 0
		for range 1000 {
			taken += c.town.Say(names[0], head(evil.Signer, c.group))
		}
		if taken > 3*20 {
			c.t.Errorf("%d of a flood go on", taken)
		}
		c.write(c.nodes[1], "as ever", 2)
	})
}
