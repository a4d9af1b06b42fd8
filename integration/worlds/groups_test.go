package worlds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// heal has two nodes reach each other again.
func (w *world) heal(a, b int) { w.far[min(a, b)][max(a, b)].Store(false) }

// meeting is a group of nodes that all know each other. That at n is nodes[n-1].
type meeting struct {
	*world
	id    wire.GroupID
	nodes []living
}

func (m *meeting) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// meet starts nodes, each of which connects to all before it, and of whom the first
// founds a group that the others join.
func (w *world) meet(names ...string) *meeting {
	w.t.Helper()
	return w.meetBy(func(_ int, before []living) []living { return before }, names...)
}

// meetBy is meet with another choice of whom a node connects to.
func (w *world) meetBy(whom func(n int, before []living) []living, names ...string) *meeting {
	w.t.Helper()
	m := &meeting{world: w}
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	for i, name := range names {
		n := w.start(i+1, node.Config{Name: name})
		for _, other := range whom(i+1, m.nodes) {
			_, err := n.Connect(ctx, fmt.Sprintf("%s/p2p/%s", other.Addrs()[0], other.ID()))
			m.must(err)
		}
		m.nodes = append(m.nodes, n)
	}
	var err error
	first := m.nodes[0].Groups()
	m.id, err = first.Create(wire.Settings{Name: "friends", Max: wire.MaxMembers, Beat: wire.DefaultBeat})
	m.must(err)
	link, err := first.Invite(ctx, m.id, node.Peer{}, uint64(len(names)), time.Hour)
	m.must(err)
	for _, n := range m.nodes[1:] {
		_, err := n.Groups().Join(ctx, link)
		m.must(err)
	}
	return m
}

// until waits until nothing is missing.
func (m *meeting) until(missing func() string) {
	m.t.Helper()
	why := ""
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); virtual.Pass(50 * time.Millisecond) {
		if why = missing(); why == "" {
			return
		}
	}
	m.t.Fatal(why)
}

// says has a node write, and waits until so many others have acknowledged it.
func (m *meeting) says(n living, text string, delivered int) {
	m.t.Helper()
	id, err := n.Groups().Send(m.t.Context(), m.id, "text/plain", []byte(text))
	m.must(err)
	m.until(func() string {
		st, err := n.Groups().Status(m.t.Context(), m.id, id)
		m.must(err)
		if st.Accepted && st.Delivered >= delivered {
			return ""
		}
		return fmt.Sprintf("%q is %+v", text, st)
	})
}

func (m *meeting) show(n living) groups.Info {
	m.t.Helper()
	i, err := n.Groups().Show(m.t.Context(), m.id)
	m.must(err)
	return i
}

// log is what a node has, a line each; its text where it can be read.
func (m *meeting) log(n living) (list []string) {
	m.t.Helper()
	lines, err := n.Groups().Log(m.t.Context(), m.id, 0, 1000, 0)
	m.must(err)
	for _, l := range lines {
		mark := l.Mark
		if mark == groups.Waiting || mark == groups.Unreadable { // of this node alone
			mark = groups.Effective
		}
		list = append(list, fmt.Sprintf("%d %v %v %v", l.Place.Seq, l.ID, l.Kind, mark))
	}
	return list
}

func (m *meeting) texts(n living) (list []string) {
	m.t.Helper()
	lines, err := n.Groups().Log(m.t.Context(), m.id, 0, 1000, 0)
	m.must(err)
	for _, l := range lines {
		if l.Kind == wire.KindMessage && len(l.Body) > 0 {
			list = append(list, string(l.Body))
		}
	}
	return list
}

// A group falls apart: the hub with one other, three on the other side. Both go on,
// and on the hub's side one of the three is kicked. When they meet again all have
// the same log, none of what was accepted on either side is lost or there twice, and
// who was kicked is out.
func TestAGroupThatFellApartIsOneAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := w.meet("alice", "bob", "carol", "dave", "erin")
		erin := m.nodes[4]
		for i, n := range m.nodes {
			m.says(n, fmt.Sprint("all are here, ", i), 4)
		}
		m.until(func() string {
			if i := m.show(m.nodes[0]); i.Candidate == (node.Peer{}) {
				return fmt.Sprintf("no chain: %+v", i)
			}
			return ""
		})
		for _, a := range []int{1, 2} {
			for _, b := range []int{3, 4, 5} {
				w.part(a, b)
			}
		}
		begun := time.Now()
		m.says(m.nodes[2], "on the side of the three", 2)
		t.Logf("the side without the hub goes on after %v", time.Since(begun).Round(10*time.Millisecond))
		m.says(m.nodes[1], "on the side of the two", 1)
		_, err := m.nodes[0].Groups().Kick(t.Context(), m.id, erin.Key())
		m.must(err)
		m.until(func() string {
			if i := m.show(m.nodes[1]); i.Summary.Members == 5 {
				return "bob has not heard of the kick"
			}
			return ""
		})
		m.says(m.nodes[0], "without erin", 1)
		m.says(erin, "erin knows nothing of it", 2)

		for _, a := range []int{1, 2} {
			for _, b := range []int{3, 4, 5} {
				w.heal(a, b)
			}
		}
		begun = time.Now()
		stay := m.nodes[:4]
		m.until(func() string { return m.apart(stay) })
		t.Logf("one group again %v after they could meet", time.Since(begun).Round(10*time.Millisecond))
		for i, n := range stay {
			m.says(n, fmt.Sprint("together again, ", i), 3)
		}
		m.until(func() string { return m.apart(stay) })
		for _, n := range stay {
			m.heard(n, "on the side of the two", "on the side of the three", "together again, 0", "together again, 3")
		}
		m.until(func() string {
			if list, err := erin.Groups().List(t.Context()); err != nil || len(list) > 0 {
				return fmt.Sprintf("erin is in still: %+v, %v", list, err)
			}
			return ""
		})
	})
}

// apart says in what some differ.
func (m *meeting) apart(list []living) string {
	first, log := m.show(list[0]), m.log(list[0])
	for _, n := range list {
		i := m.show(n)
		if i.Hub != first.Hub || i.Number != first.Number || i.Summary.Members != len(list) {
			return fmt.Sprintf("%+v and %+v", first, i)
		}
		if other := m.log(n); !slices.Equal(log, other) {
			return fmt.Sprintf("logs %q and %q", log, other)
		}
	}
	return ""
}

// heard checks that a node has texts, once each.
func (m *meeting) heard(n living, texts ...string) {
	m.t.Helper()
	all := m.texts(n)
	for _, text := range texts {
		count := 0
		for _, other := range all {
			if other == text {
				count++
			}
		}
		if count != 1 {
			m.t.Errorf("%v has %q %d times of %q", n.ID(), text, count, all)
		}
	}
}

// mailed is how many envelopes all nodes have put on connections.
func (m *meeting) mailed() (sum float64) {
	m.t.Helper()
	for _, n := range m.nodes {
		families, err := n.Metrics().Gather()
		m.must(err)
		for _, f := range families {
			if f.GetName() == "tom_sent_total" {
				for _, x := range f.GetMetric() {
					sum += x.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// Members that know the hub alone, and cannot reach each other, are given keys without
// any of them being mailed.
func TestKeysOfMembersWhoKnowTheHubAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, a := range []int{2, 3, 4} {
			for _, b := range []int{2, 3, 4} {
				w.part(a, b)
			}
		}
		m := w.meetBy(func(n int, before []living) []living { return before[:min(n-1, 1)] }, "alice", "bob", "carol", "dave")
		for _, n := range m.nodes {
			m.says(n, "hello", 3)
		}
		if n := m.mailed(); n != 0 {
			t.Errorf("%.0f envelopes were sent", n)
		}
	})
}

// A hub that has more members than it keeps neighbours holds on to all of them: none
// has to come again, for it would be behind meanwhile.
func TestAHubHoldsOnToItsMembers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.few = 2
		names := make([]string, 24)
		for i := range names {
			names[i] = fmt.Sprint("member ", i)
		}
		m := w.meetBy(func(n int, before []living) []living { return before[:min(n-1, 1)] }, names...)
		since := make(map[node.Peer]time.Time)
		for _, p := range m.nodes[0].Peers() {
			since[p.Peer] = p.Since
		}
		if len(since) != 23 {
			t.Fatalf("%d neighbours", len(since))
		}
		virtual.Pass(3 * time.Minute)
		for _, p := range m.nodes[0].Peers() {
			if p.Since.Equal(since[p.Peer]) {
				delete(since, p.Peer)
			}
		}
		if len(since) != 0 {
			t.Errorf("of 23 members the hub did not hold on to %d", len(since))
		}
		m.says(m.nodes[5], "still here", 23)
	})
}

// told are the events of the group that a node was told so far.
func (m *meeting) told(n living) (list []groups.Event) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Second) // it waits for more to come
	defer cancel()
	err := n.Events(ctx, 0, func(e node.Event) error {
		if e.Group != nil && e.Group.Group == m.id {
			list = append(list, *e.Group)
		}
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		m.t.Fatal(err)
	}
	return list
}

// The hub's clock is set ten minutes ahead. Each member names it for that, as the
// clocks of the two others tell what its own does; the hub names nobody.
func TestAHubWithAWrongClockIsNamedByTheOthersClocks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := w.meet("alice", "bob", "carol", "dave")
		hub := m.nodes[0]
		w.ahead[1].Store(int64(10 * time.Minute))
		for i := range 6 {
			_, err := hub.Groups().Send(t.Context(), m.id, "text/plain", fmt.Append(nil, "later than you think, ", i))
			m.must(err)
			virtual.Pass(5 * time.Second)
		}
		count := func(n living, what groups.What) (sum int) {
			for _, e := range m.told(n) {
				if e.What == what && e.Peer == hub.Key() {
					sum++
				}
			}
			return sum
		}
		for i, n := range m.nodes {
			named, doubted := count(n, groups.Forged), count(n, groups.Clocks)
			if (named > 0) != (i > 0) || doubted > 0 {
				t.Errorf("%d is told %d times that the hub breaks a rule, %d times that clocks differ: %+v", i, named, doubted, m.told(n))
			}
		}
	})
}
