package model

import (
	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Stranger makes somebody who is no member, and can only send.
func (w *World) Stranger() *Node {
	id := len(w.Nodes)
	n := &Node{ID: id, Key: keyOf(id), stranger: true, seen: make(map[wire.RecordName]int)}
	w.Nodes = append(w.Nodes, n)
	w.byKey[n.Key] = n
	w.lying = n
	return n
}

// Lies says that a node may send what breaks rules.
func (w *World) Lies(n *Node) { w.lying = n }

// Say sends a frame from a node to all others.
func (w *World) Say(from *Node, f wire.Frame) {
	for _, to := range w.Nodes {
		if to != from {
			w.send(from, to, f)
		}
	}
}

// Bring shows a record to all, as if to publish it.
func (w *World) Bring(from *Node, r *wire.Record) {
	w.Say(from, &wire.Publish{Group: w.charter.Group(), Records: [][]byte{r.Bytes()}})
}

// Signed makes a record of a node's that says anything.
func (w *World) Signed(n *Node, kind wire.Kind, payload []byte) *wire.Record {
	n.written++
	return w.record(n.Key, n.written, kind, payload)
}

// KickOf makes the payload of a kick of a member as the node sees it.
func (w *World) KickOf(by, of *Node) []byte {
	names, _ := by.Seat.Ledger().Fold().Names(of.Key)
	return (&wire.Target{Kind: wire.KindKick, Member: of.Key, Names: names}).Append(nil)
}

// Publish lets a node publish a record of its own.
func (w *World) Publish(n *Node, kind wire.Kind, payload []byte) wire.RecordName {
	n.written++
	name, _ := w.publish(n, kind, payload)
	return name
}

// Link makes an invite that whoever has its key, or the peer it is for, can use.
func (w *World) Link(by *Node, uses uint64, of protocols.Key, bearer int) []byte {
	l := by.Seat.Ledger()
	last, hash := l.Log().End()
	now := wire.Millis(w.Now.UnixMilli())
	i := wire.Invite{
		Charter: w.charter.Bytes(), For: of, Uses: uses, Expires: now + 3_600_000, Roster: l.Fold().Version(), RosterHash: l.Fold().Hash(),
		Seq: last.Seq, Log: hash, Made: now,
	}
	if of == (protocols.Key{}) {
		i.Bearer = keyOf(bearer)
	}
	return i.Sign(signer{by.Key})
}

// JoinBy makes the join of a node by such an invite.
func (w *World) JoinBy(n *Node, invite []byte, bearer int) *wire.Record {
	p := wire.Join{Invite: invite, Name: name(n.ID)}
	if bearer >= 0 {
		p.Signature = wire.SignJoin(signer{keyOf(bearer)}, w.charter.Group(), n.Key)
	}
	return w.Signed(n, wire.KindJoin, p.Append(nil))
}

// Close takes only those from now on who were invited.
func (w *World) Close(admin *Node) {
	s := admin.Seat.Ledger().Fold().Settings()
	s.Open = false
	w.Publish(admin, wire.KindSettings, s.Append(nil))
}

// Branch is the hub record that a node follows.
func (w *World) Branch(n *Node) *failover.Branch { return n.Seat.Branch() }

// Sneak puts a record into the log of a hub that asks nobody whether it may, as if it
// had stood elsewhere before a merge or not.
func (w *World) Sneak(hub *Node, r *wire.Record, merged bool) (at wire.Seq) {
	w.lying = hub
	l := hub.Seat.Ledger()
	e := &wire.Entry{Record: r}
	p := wire.Place{Number: hub.Seat.Branch().Record.Number, Primary: hub.Key, Seq: l.Log().Seq() + 1}
	if merged {
		e.Old = &wire.Old{Place: p}
	}
	_, err := l.Append(p, e.Append(nil), e)
	check(err)
	return p.Seq
}

// Warp lets a hub change the pages that it sends to a member: their entries, under
// heads that fit.
func (w *World) Warp(hub, victim *Node, change func(entries [][]byte) [][]byte) {
	w.lying = hub
	w.fork = func(from, to *Node, f wire.Frame) wire.Frame {
		page, ok := f.(*wire.Records)
		if !ok || from != hub || to != victim {
			return f
		}
		warped := *page
		warped.Entries = change(page.Entries)
		hash, seq, n := page.Before, page.First, 0
		for _, run := range page.Runs {
			for range run.Entries {
				hash = hash.Next(wire.Place{Number: run.Number, Primary: run.Primary, Seq: seq}, warped.Entries[n])
				seq, n = seq+1, n+1
			}
		}
		warped.Head = wire.Head{Group: w.charter.Group(), Term: hub.Seat.Branch().Term(), Seq: seq - 1, Log: hash}.Sign(signer{hub.Key})
		return &warped
	}
}

// Straighten ends what Warp, Fork and Withhold began.
func (w *World) Straighten() { w.fork, w.deaf = nil, nil }

// Altered is an entry in which another text stands than its author signed.
func Altered(raw []byte) []byte {
	e, err := wire.ParseEntry(raw)
	check(err)
	if e.Record.Kind != wire.KindMessage {
		return raw
	}
	r := *e.Record
	m, err := wire.ParseMessage(r.Payload)
	check(err)
	m.Ciphertext = []byte("another text")
	r.Payload = m.Append(nil)
	return (&wire.Entry{Record: &r, Old: e.Old}).Append(nil)
}

// SignInvite signs an invite as a node.
func (w *World) SignInvite(n *Node, i wire.Invite) []byte { return i.Sign(signer{n.Key}) }

// SignHub signs a hub record as a node, also where an admin should.
func (w *World) SignHub(n *Node, h wire.HubRecord) (draft, record []byte) {
	return h.Draft(signer{n.Key}), h.Sign(signer{n.Key}, h.SignAdmin(signer{n.Key}))
}

// Verifier verifies what nodes sign.
func Verifier() wire.Verifier { return verifier{"model"} }

// FirstBranch is the group's first hub record, as it travels.
func FirstBranch(w *World) wire.HubRecordFrame {
	first, err := failover.First(signer{keyOf(0)}, w.charter, verifier{"model"})
	check(err)
	return first.Frame()
}
