package groups_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// crowd is a group of services; the first has founded it.
type crowd struct {
	t     testing.TB
	town  *groupstest.Town
	nodes []*groupstest.Node
	group wire.GroupID
	link  *wire.Invitation
}

func newCrowd(t testing.TB, n int) *crowd {
	t.Helper()
	return newCrowdIn(t, groupstest.New(), n)
}

func newCrowdIn(t testing.TB, town *groupstest.Town, n int) *crowd {
	t.Helper()
	c := &crowd{t: t, town: town}
	c.nodes = append(c.nodes, c.settle("founder"))
	var err error
	c.group, err = c.nodes[0].Create(wire.Settings{Name: "crowd", Max: wire.MaxMembers, Beat: wire.DefaultBeat})
	c.must(err)
	c.link, err = c.nodes[0].Invite(t.Context(), c.group, [32]byte{}, wire.MaxMembers, groups.Life)
	c.must(err)
	for i := range n - 1 {
		c.join(fmt.Sprintf("member %d", i+1))
	}
	return c
}

func (c *crowd) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *crowd) settle(name string) *groupstest.Node {
	c.t.Helper()
	n, err := c.town.Settle(name)
	c.must(err)
	return n
}

func (c *crowd) join(name string) *groupstest.Node {
	c.t.Helper()
	n := c.settle(name)
	_, err := n.Join(c.t.Context(), c.link)
	c.must(err)
	c.nodes = append(c.nodes, n)
	return n
}

// write lets a node write, and returns when so many others have it.
func (c *crowd) write(n *groupstest.Node, text string, delivered int) groups.Standing {
	c.t.Helper()
	id, err := n.Send(c.t.Context(), c.group, "text/plain", []byte(text))
	c.must(err)
	return c.reaches(n, id, delivered)
}

func (c *crowd) reaches(n *groupstest.Node, id wire.RecordID, delivered int) groups.Standing {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		news, err := n.News(ctx, c.group)
		c.must(err)
		st, err := n.Status(ctx, c.group, id)
		c.must(err)
		if st.Delivered >= delivered {
			return st
		}
		select {
		case <-news:
		case <-ctx.Done():
			c.t.Fatalf("%+v, and not %d; %s", st, delivered, c.behind(st.Place.Seq))
		}
	}
}

// behind says who has not the log up to a place, or cannot read what stands there.
func (c *crowd) behind(seq wire.Seq) (list string) {
	for _, n := range c.nodes {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		i, err := n.Show(ctx, c.group)
		lines, err2 := n.Log(ctx, c.group, groups.Cursor(seq-1), 1, 0)
		cancel()
		if err != nil || err2 != nil || i.Seq < seq || len(lines) == 0 || lines[0].Mark != groups.Effective {
			list += fmt.Sprintf("%s: seq %d, %v %v %v, members %d, hub %s term %d\n", n.Name, i.Seq, lines, err, err2, len(i.Members), i.Hub.String()[:6], i.Number)
		}
	}
	return list
}

// inTown runs f in virtual time with a group of so many members.
func inTown(t *testing.T, members int, f func(c *crowd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, members)
		defer c.town.Close()
		f(c)
	})
}

// Whoever writes the moment it has joined, before the log has come, is read.
func TestWhoHasJustJoinedIsRead(t *testing.T) {
	t.Parallel()
	inTown(t, 5, func(c *crowd) {
		for i, n := range c.nodes {
			c.write(n, fmt.Sprint("hello from ", i), 4)
		}
		late := c.join("late")
		c.write(late, "at once", 5)
	})
}

// Whoever writes before it hears that another has joined is read by that one too: the
// message stands behind the join.
func TestWhatIsWrittenWhileAnotherJoinsIsRead(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		hub := c.nodes[0]
		named := c.becomes(hub, "there is a shadow", func(i groups.Info) bool { return i.Shadow != protocols.Key{} })
		writer := c.nodes[1+slices.IndexFunc(c.nodes[1:], func(n *groupstest.Node) bool { return n.Key != named.Shadow })] // the shadow hears of all before it counts
		c.write(writer, "before", 2)
		c.town.Slow(func(from, to protocols.Key) (s groupstest.Speed) {
			if from == hub.Key && to == writer.Key {
				s.Delay = 300 * time.Millisecond
			}
			return s
		})
		late, in := c.settle("late"), make(chan error, 1)
		go func() {
			_, err := late.Join(c.t.Context(), c.link)
			in <- err
		}()
		c.becomes(hub, "it lets one more in", func(i groups.Info) bool { return len(i.Members) == 4 })
		id, err := writer.Send(c.t.Context(), c.group, "text/plain", []byte("meanwhile"))
		c.must(err)
		c.must(<-in)
		c.reaches(writer, id, 3)
		c.write(writer, "and on", 3)
		var read []string
		for _, l := range c.log(late) {
			if l.Kind == wire.KindMessage {
				read = append(read, string(l.Body))
			}
		}
		if !slices.Equal(read, []string{"", "meanwhile", "and on"}) {
			t.Errorf("who joined reads %q", read)
		}
	})
}

// Whoever writes before it hears that another has left seals with a chain that is
// worth nothing any more. It is not told of a refusal: the message is sealed anew.
func TestWhatIsWrittenWhileAnotherLeavesIsNotRefused(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		writer, leaver := c.nodes[1], c.nodes[2]
		c.write(writer, "before", 2)
		writer.Posting = 20 * time.Millisecond // its new chain
		c.town.Slow(func(from, to protocols.Key) groupstest.Speed {
			if from == writer.Key || to == writer.Key {
				return groupstest.Speed{Delay: 300 * time.Millisecond}
			}
			return groupstest.Speed{}
		})
		_, err := leaver.Leave(c.t.Context(), c.group)
		c.must(err)
		id, err := writer.Send(c.t.Context(), c.group, "text/plain", []byte("meanwhile"))
		c.must(err)
		virtual.Until(c.t, time.Minute, time.Millisecond, "the hub can read the message", func() bool {
			st, err := writer.Status(c.t.Context(), c.group, id)
			c.must(err)
			if st.Refused != 0 {
				c.t.Fatalf("it is said to be refused: %s", st.Refused)
			}
			return st.Delivered == 1
		})
		if st, err := writer.Status(c.t.Context(), c.group, id); err != nil || st.ID == id {
			c.t.Errorf("it was not sealed anew: %+v, %v", st, err)
		}
	})
}

// Whom an admin names hub the moment it has joined leads once it has the log: before,
// it would lead a group that it is not in.
func TestWhoHasJustJoinedIsNamedHub(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		next := c.nodes[1].Key
		c.must(c.nodes[0].Move(c.t.Context(), c.group, next))
		virtual.Until(c.t, time.Minute, time.Second, "all three follow the new hub", func() bool {
			return !slices.ContainsFunc(c.nodes, func(n *groupstest.Node) bool {
				i, err := n.Show(c.t.Context(), c.group)
				return err != nil || len(i.Members) != 3 || i.Summary.Hub != next
			})
		})
		for i, n := range c.nodes {
			c.write(n, fmt.Sprint("hello from ", i), 2)
		}
	})
}

// Whom an admin takes the group away from is named to all, the one it was taken from
// too, and who did it.
func TestWhoIsDisplacedIsTold(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		founder := c.nodes[0].Key
		c.write(c.nodes[1], "all have the log", 2) // who has just come in can be named by nobody yet
		c.must(c.nodes[0].Move(c.t.Context(), c.group, c.nodes[1].Key))
		for _, n := range c.nodes {
			_, err := n.Told(c.t.Context(), func(e groups.Event) bool {
				return e.What == groups.Displaced && e.Peer == founder && e.By == founder
			})
			c.must(err)
		}
	})
}

// Whoever follows the log, the hub too, is never shown as unreadable what can be
// read a moment later.
func TestAFollowerSeesNothingBeforeItIsOpened(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		for _, n := range c.nodes {
			c.write(n, "hello", 2)
		}
		const messages = 100
		var busy sync.WaitGroup
		for i := range 9 {
			follower := c.nodes[i%3]
			busy.Go(func() {
				for seen := wire.Seq(4); seen < 5+messages; { // behind the joins, and two that were written before
					news, err := follower.News(c.t.Context(), c.group)
					lines, failed := follower.Log(c.t.Context(), c.group, groups.Cursor(seen), 256, time.Minute)
					if err = errors.Join(err, failed); err != nil {
						c.t.Error(err)
						return
					}
					if len(lines) == 0 {
						<-news
					}
					for _, l := range lines {
						if seen = l.Place.Seq; l.Mark != groups.Effective {
							c.t.Errorf("record %d is %s to %s", l.Place.Seq, l.Mark, follower.Name)
							return
						}
					}
				}
			})
		}
		for i := range messages {
			_, err := c.nodes[i%2].Send(c.t.Context(), c.group, "text/plain", fmt.Append(nil, i))
			c.must(err)
		}
		busy.Wait()
	})
}
