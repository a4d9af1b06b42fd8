package groups_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// starving loses what a hub sends one member of its log, and changes what its beats say
// of it: to where the log is when it begins.
type starving struct {
	mu    sync.Mutex
	beats []*wire.Beat
}

func (c *crowd) starve(hub, victim *groupstest.Node) *starving {
	x := new(starving)
	c.town.Drop(func(from, to protocols.Key, onHub bool, frame []byte) bool {
		if from != hub.Key || to != victim.Key {
			return false
		}
		if f, isBeat := frameOf[*wire.BeatFrame](onHub, frame); isBeat {
			x.mu.Lock()
			defer x.mu.Unlock()
			if b, err := wire.ParseBeat(protocols.Main, f.Beat); err == nil {
				x.beats = append(x.beats, b)
			}
			return true
		}
		_, page := frameOf[*wire.Records](onHub, frame)
		return page
	})
	return x
}

// beat passes on the beats that were held, with another seq.
func (x *starving) beat(c *crowd, hub, victim *groupstest.Node, seq wire.Seq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, b := range x.beats {
		said := wire.Beat{Group: b.Group, Term: b.Term, Version: b.Version, Counter: b.Counter, Seq: min(b.Seq, seq), Time: b.Time}
		c.must(c.town.Inject(hub, victim, true, wire.AppendFrame(nil, &wire.BeatFrame{Beat: said.Sign(hub.Signer)})))
	}
	x.beats = nil
}

const starvedWords = "withholds the log"

// A hub beats, says to one member that nobody writes, and brings it nothing. What the
// others say on the topic gives it away: the member names it, has the log from another,
// and goes on so.
func TestAHubThatWithholdsTheLogIsNamed(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		victim := c.nodes[3]
		seq := c.show(victim).Seq
		line := c.starve(hub, victim)
		begun, named := time.Now(), time.Duration(0)
		st := c.write(c.nodes[1], "for all but one", 2)
		for time.Since(begun) < 3*time.Minute {
			line.beat(c, hub, victim, seq)
			virtual.Pass(time.Second)
			if named == 0 && told(victim, hub, groups.Forged, starvedWords) {
				named = time.Since(begun)
			}
		}
		if named == 0 || named > 2*time.Minute {
			c.t.Errorf("it is named after %v", named)
		}
		c.reaches(c.nodes[1], st.ID, 3)
		for i := range 3 {
			begun := time.Now()
			id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", fmt.Append(nil, i))
			c.must(err)
			for c.show(victim).Seq < c.show(hub).Seq || time.Since(begun) < 10*time.Second {
				line.beat(c, hub, victim, 1<<40)
				virtual.Pass(time.Second)
			}
			c.reaches(c.nodes[1], id, 3)
		}
		c.same(c.nodes)
		for _, n := range c.nodes[1:3] {
			if told(n, hub, groups.Forged, "") {
				c.t.Errorf("%s, who lacks nothing, names it", n.Name)
			}
		}
	})
}

// An admin from whom the hub withholds the log takes the group away from it.
func TestAHubThatWithholdsTheLogFromAnAdminIsDisplaced(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, founder *groupstest.Node) {
		hub := c.nodes[1]
		c.must(founder.Move(c.t.Context(), c.group, hub.Key))
		c.shows(func(i groups.Info) bool { return i.Hub == hub.Key })
		virtual.Pass(5 * time.Second)
		line := c.starve(hub, founder)
		c.write(c.nodes[2], "for all but the admin", 2)
		begun := time.Now()
		for c.show(founder).Hub == hub.Key && time.Since(begun) < 2*time.Minute {
			line.beat(c, hub, founder, 1<<40)
			virtual.Pass(time.Second)
		}
		if !told(founder, hub, groups.Forged, starvedWords) {
			c.t.Error("it is not named")
		}
		c.town.Drop(func(_, _ protocols.Key, _ bool, _ []byte) bool { return false })
		c.shows(func(i groups.Info) bool { return i.Hub != hub.Key })
		c.write(c.nodes[2], "without it", 3)
		c.same(c.nodes)
	})
}

// A hub answers that it has a record, and shows it to nobody. Its author names it,
// though no other has what is missing.
func TestAHubThatShowsNobodyWhatItAcceptedIsNamed(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		author := c.nodes[3]
		c.town.Drop(func(from, _ protocols.Key, onHub bool, frame []byte) bool {
			_, page := frameOf[*wire.Records](onHub, frame)
			return page && from == hub.Key
		})
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("for nobody"))
		c.must(err)
		virtual.Pass(90 * time.Second)
		if !told(author, hub, groups.Forged, starvedWords) {
			list, _ := author.Events()
			c.t.Errorf("it is told %+v", list)
		}
	})
}

// A hub puts all off that the only other member writes, for ever. Its author names it.
func TestAHubThatPutsAllOffIsNamed(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		hub, author := c.nodes[0], c.nodes[1]
		c.write(author, "taken", 1)
		c.town.Drop(func(from, to protocols.Key, onHub bool, frame []byte) bool {
			f, published := frameOf[*wire.Publish](onHub, frame)
			if !published || from != author.Key || to != hub.Key {
				return false
			}
			for i := range f.Records {
				if e, err := f.Entry(i); err == nil {
					busy := &wire.Busy{Group: c.group, Record: e.Record.ID, Retry: 1000}
					go func() { _ = c.town.Inject(hub, author, false, wire.AppendFrame(nil, busy)) }()
				}
			}
			return true
		})
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("put off"))
		c.must(err)
		for _, x := range []struct {
			pass time.Duration
			want bool
		}{{110 * time.Second, false}, {time.Minute, true}} {
			virtual.Pass(x.pass)
			if told(author, hub, groups.Forged, "withholds records") != x.want {
				list, _ := author.Events()
				c.t.Errorf("it is told %+v", list)
			}
		}
	})
}

// A hub behind a link that carries no more than a modem is not said to withhold
// anything, however long its members wait for what it sends.
func TestASlowHubIsNotSaidToWithhold(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200, 30 << 10, 200 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				slow := c.nodes[3]
				c.town.Slow(func(from, to protocols.Key) groupstest.Speed {
					s := groupstest.Speed{Delay: 300 * time.Millisecond}
					if from == hub.Key && to == slow.Key {
						s.Rate = 9 << 10
					}
					return s
				})
				for i := range 8 {
					body := make([]byte, size)
					copy(body, fmt.Append(nil, i))
					c.write(c.nodes[1], string(body), 2)
					virtual.Pass(time.Second)
				}
				virtual.Until(c.t, 10*time.Minute, time.Second, "the slow one has it all", func() bool { return c.show(slow).Seq == c.show(hub).Seq })
				virtual.Pass(time.Minute)
				if told(slow, hub, groups.Forged, "") {
					list, _ := slow.Events()
					c.t.Errorf("it is told %+v", list)
				}
			})
		})
	}
}

// Who is no hub brings a member that asks a page of the log, once a second, and nobody
// else anything: not who asks the hub, as it thinks, nor who is no member.
func TestOnlyMembersAreBroughtTheLogPastTheHub(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, _ *groupstest.Node) {
		asked, evil := c.nodes[3], c.settle("evil")
		_, charter, err := wire.ParseInvite(protocols.Main, c.link.Invite)
		c.must(err)
		for _, x := range []struct {
			name string
			by   *groupstest.Node
			n    uint64
			log  wire.LogHash
			want int
		}{
			{"a member", c.nodes[2], 0, charter.Hash(), 1},
			{"of another log", c.nodes[2], 0, wire.LogHash{1}, 0},
			{"who asks a hub", c.nodes[2], 1, charter.Hash(), 0},
			{"who is no member", evil, 0, charter.Hash(), 0},
			{"another member too", c.nodes[1], 0, charter.Hash(), 1},
			{"a member again", c.nodes[2], 0, charter.Hash(), 1},
		} {
			virtual.Pass(time.Second)
			pages := answers[*wire.Records](c, x.by)
			for range 20 {
				c.must(c.town.Inject(x.by, asked, false, wire.AppendFrame(nil, &wire.Sync{N: x.n, Group: c.group, Log: x.log})))
			}
			virtual.Pass(500 * time.Millisecond)
			if n := len(pages()); n != x.want {
				c.t.Errorf("%s: %d pages", x.name, n)
			}
		}
	})
}

// What one brings to many in a second has a bound: they ask others too.
func TestWhoBringsTheLogToManyHasABound(t *testing.T) {
	t.Parallel()
	inTown(t, 14, func(c *crowd) {
		c.write(c.nodes[1], "hello", 13)
		virtual.Pass(5 * time.Second)
		_, charter, err := wire.ParseInvite(protocols.Main, c.link.Invite)
		c.must(err)
		asked, pages := c.nodes[13], 0
		var mu sync.Mutex
		c.town.Drop(func(from, _ protocols.Key, onHub bool, frame []byte) bool {
			if _, page := frameOf[*wire.Records](onHub, frame); page && from == asked.Key {
				mu.Lock()
				defer mu.Unlock()
				pages++
			}
			return false
		})
		for _, n := range c.nodes[1:13] {
			c.must(c.town.Inject(n, asked, false, wire.AppendFrame(nil, &wire.Sync{Group: c.group, Log: charter.Hash()})))
		}
		virtual.Pass(500 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if pages != 8 {
			c.t.Errorf("%d pages in a second", pages)
		}
	})
}
