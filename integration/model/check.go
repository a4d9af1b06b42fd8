package model

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Disagreement says how the members that are up differ: empty if all follow one
// hub that is up and accepts, and hold the same log with the same marks, and who is
// no member any more knows it.
func (w *World) Disagreement() string {
	var first *Node
	for _, n := range w.Nodes {
		if !n.Up || n.Paused {
			continue
		}
		if w.removed(n) {
			if n != w.lying && n.Seat.Ledger().Fold().Member(n.Key) {
				return fmt.Sprintf("%s does not know that it is no member any more", name(n.ID))
			}
			continue
		}
		if first == nil {
			first = n
			continue
		}
		if d := w.differ(first, n); d != "" {
			return d
		}
	}
	if first == nil {
		return "nobody is up"
	}
	hub := w.byKey[first.Seat.Branch().Primary()]
	if hub == nil || !hub.Up || hub.Paused || !hub.Seat.Leads() {
		return fmt.Sprintf("the hub %s is not there", w.nameOf(first.Seat.Branch().Primary()))
	}
	if !hub.Seat.Open() && w.Up() > 1 {
		return fmt.Sprintf("the hub %s accepts nothing: %s", name(hub.ID), hub.Seat.Why())
	}
	return ""
}

// removed says whether a hub knows that the node is no member any more.
func (w *World) removed(n *Node) bool {
	for _, h := range w.Nodes {
		if h.Up && h.Seat.Leads() && !h.Seat.Ledger().Fold().Hears(n.Key) {
			return true
		}
	}
	return false
}

// Up counts the members that run.
func (w *World) Up() (n int) {
	for _, x := range w.Nodes {
		if x.Up && !x.Paused && x.relay == nil {
			n++
		}
	}
	return n
}

func (w *World) differ(a, b *Node) string {
	ta, tb := a.Seat.Branch(), b.Seat.Branch()
	if ta.Term() != tb.Term() {
		return fmt.Sprintf("%s follows %s in term %d, %s follows %s in term %d", name(a.ID), w.nameOf(ta.Primary()), ta.Record.Number, name(b.ID), w.nameOf(tb.Primary()), tb.Record.Number)
	}
	la, lb := a.Seat.Ledger(), b.Seat.Ledger()
	pa, ha := la.Log().End()
	pb, hb := lb.Log().End()
	if ha != hb {
		return fmt.Sprintf("%s holds the log up to (%d, %d), %s up to (%d, %d)", name(a.ID), pa.Number, pa.Seq, name(b.ID), pb.Number, pb.Seq)
	}
	for s := max(base(a), base(b)) + 1; s <= pa.Seq; s++ {
		if (la.Void(s) == nil) != (lb.Void(s) == nil) {
			return fmt.Sprintf("%s and %s mark seq %d otherwise", name(a.ID), name(b.ID), s)
		}
	}
	if la.Fold().Hash() != lb.Fold().Hash() {
		return fmt.Sprintf("%s and %s have other rosters", name(a.ID), name(b.ID))
	}
	return ""
}

// base is where the node's log begins.
func base(n *Node) wire.Seq {
	p, _ := n.Seat.Ledger().Log().Base()
	return p.Seq
}

// Settle mends everything, runs until all agree and have agreed for a while, and
// checks what must hold then. It returns how long agreement took.
func (w *World) Settle() time.Duration {
	w.Heal()
	w.Loss, w.Late = 0, 0
	for _, n := range w.Nodes {
		w.Resume(n)
		if !w.dead[n.ID] {
			w.Restart(n)
		}
	}
	return w.Agree(90 * time.Second)
}

// Agree runs until all who are up agree and have agreed for 10 s, and checks
// what must hold then.
func (w *World) Agree(limit time.Duration) time.Duration {
	start, since := w.Now, time.Time{}
	for w.Now.Sub(start) < limit {
		w.Run(time.Second)
		if w.Disagreement() != "" {
			since = time.Time{}
		} else if since.IsZero() {
			since = w.Now
		}
		if !since.IsZero() && w.Now.Sub(since) >= 10*time.Second {
			break
		}
	}
	claims, versions := w.Claims+w.Merges, w.Versions
	w.Run(10 * time.Second)
	if d := w.Disagreement(); d != "" {
		w.broke("after %v: %s", w.Now.Sub(start), d)
		return w.Now.Sub(start)
	}
	if w.Claims+w.Merges > claims || w.Versions-versions > 2 {
		w.broke("no rest: %d claims and merges, %d versions in 10 s", w.Claims+w.Merges-claims, w.Versions-versions)
	}
	w.checkRecords()
	return since.Sub(start)
}

// checkRecords checks that what was accepted stands in the log once, and that
// every record has arrived at everybody that never restarted.
func (w *World) checkRecords() {
	for _, n := range w.Nodes {
		if !n.Up || w.removed(n) {
			continue
		}
		count := make(map[wire.RecordName]int)
		n.Seat.Ledger().Log().All(func(e journal.Entry) { count[e.Record.Name()]++ })
		for r, c := range count {
			if c > 1 {
				w.broke("%s has a record %d times", name(n.ID), c)
			}
			if n.Restarts == 0 && n.seen[r] == 0 && r.ID[3] != byte(wire.KindJoin) && n.joined.IsZero() {
				w.broke("a record of %s never arrived at %s", w.nameOf(r.Author), name(n.ID))
			}
		}
		for _, r := range w.acceptedNames() {
			young := w.Now.Sub(w.Accepted[r].At) < member.Life-time.Hour && w.Accepted[r].At.After(n.joined)
			if count[r] == 0 && young && w.heldByAny(r) {
				w.broke("record %d of %s, accepted with %d replicas at %v, is not in the log of %s", r.ID[0], w.nameOf(r.Author), w.Accepted[r].Replicas, w.Accepted[r].At.Sub(epoch), name(n.ID))
			}
		}
	}
}

// acceptedNames returns the accepted records in a fixed order.
func (w *World) acceptedNames() []wire.RecordName {
	var list []wire.RecordName
	for r := range w.Accepted {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b wire.RecordName) int {
		if c := bytes.Compare(a.Author[:], b.Author[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return list
}

// heldByAny says whether a member that is up holds the record at all: what died
// with all its holders, or is held by those who were removed, cannot come back.
func (w *World) heldByAny(r wire.RecordName) bool {
	for _, n := range w.Nodes {
		if n.Up && !w.removed(n) && n.Seat.Holds(r) {
			return true
		}
	}
	return false
}

// Chain returns hub, shadow and candidate, as the hub that most follow names
// them.
func (w *World) Chain() []*Node {
	for _, n := range w.Nodes {
		if n.Up && n.Seat.Leads() {
			r := n.Seat.Branch().Record
			chain := []*Node{n}
			for _, k := range []protocols.Key{r.Shadow, r.Candidate} {
				if x := w.byKey[k]; x != nil {
					chain = append(chain, x)
				}
			}
			return chain
		}
	}
	return nil
}

// WriteAll lets everybody write a message.
func (w *World) WriteAll() {
	for _, n := range w.Nodes {
		w.Write(n)
	}
}

// NewHub says whether a record was accepted by another hub than old, that was
// written since.
func (w *World) NewHub(old protocols.Key, since time.Time) bool {
	a := w.latest
	return !a.At.Before(since) && a.At.After(epoch) && a.Place.Primary != old
}

// WriteEvery lets everybody write again and again, one behind the other, until it
// is called with 0.
func (w *World) WriteEvery(d time.Duration) {
	w.writing++
	turn, next := w.writing, 0
	var again func()
	again = func() {
		if w.writing == turn {
			w.Write(w.Nodes[next%len(w.Nodes)])
			next++
			w.After(d/time.Duration(len(w.Nodes)), again)
		}
	}
	if d > 0 {
		again()
	}
}

// checkHead checks that no hub signs two logs for one place of its term. Who is no hub may
// bring what another signed.
func (w *World) checkHead(by *Node, head []byte) {
	h, err := wire.ParseHead(verifier{"model"}, head)
	if err != nil || h.Primary != by.Key && by.Seat.Leads() {
		w.broke("%s sends a head that is not its own: %v", name(by.ID), err)
		return
	}
	at := placed{h.Term, h.Seq}
	if other, known := w.signed[at]; known && other != h.Log {
		w.broke("%s signs two logs for seq %d of term %d", name(by.ID), h.Seq, h.Term.Number)
	}
	w.signed[at] = h.Log
}

// Rivals says whether two hubs accept records, each with followers, although
// nothing keeps them apart.
func (w *World) Rivals() bool {
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[i+1:] {
			if w.accepts(a) && w.accepts(b) && !w.cut[[2]int{a.ID, b.ID}] && !w.cut[[2]int{b.ID, a.ID}] {
				return true
			}
		}
	}
	return false
}

// accepts says whether the node is a hub that accepts records and that another
// follows, within its reach.
func (w *World) accepts(n *Node) bool {
	if !n.Up || n.Paused || !n.Seat.Open() {
		return false
	}
	return slices.ContainsFunc(w.Nodes, func(o *Node) bool {
		return o != n && o.Up && !o.Paused && !w.cut[[2]int{n.ID, o.ID}] && o.Seat.Branch().Term() == n.Seat.Branch().Term()
	})
}

// Untold returns records of members that are up, and of which their author was
// not told that all others hold them.
func (w *World) Untold() (list []string) {
	for _, n := range w.Nodes {
		if !n.Up || w.removed(n) {
			continue
		}
		n.Seat.Ledger().Log().All(func(e journal.Entry) {
			if st := n.Seat.Standing(e.Place.Seq); e.Record.Author == n.Key && st.Delivered < st.Members {
				list = append(list, fmt.Sprintf("%s: its %v at seq %d is delivered to %d of %d", name(n.ID), e.Record.Kind, e.Place.Seq, st.Delivered, st.Members))
			}
		})
	}
	return list
}
