package model

import (
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Liar makes a member lie besides what it does honestly, about ten times a
// second, until the returned function is called.
func (w *World) Liar(n *Node) (stop func()) {
	l := &liar{w: w, n: n, r: rand.New(rand.NewPCG(w.Seed, 7))}
	w.lying = n
	l.again()
	return func() { l.over = true } // what it sent is still on its way
}

// Lie is a way to claim the hub without need or right.
type Lie int

// Lies are all of them.
const (
	ClaimAtWill Lie = iota // as shadow, of a hub that is well
	ClaimAlone             // by its own report
	Inflate                // a number far ahead
	NameItself             // as an admin that it is not
)

// Lie has a member lie once.
func (w *World) Lie(n *Node, what Lie) {
	l := &liar{w: w, n: n, r: rand.New(rand.NewPCG(w.Seed, 8))}
	w.lying = n
	switch what {
	case ClaimAtWill:
		l.claim(wire.CausePromotion)
	case ClaimAlone:
		l.claim(wire.CauseElection)
	case Inflate:
		l.inflate()
	case NameItself:
		l.admin()
	}
}

// Doubted says whether a node did not believe another's claim to be hub.
func (w *World) Doubted(by, of *Node) bool { return w.doubted[[2]int{by.ID, of.ID}] > 0 }

type liar struct {
	w    *World
	n    *Node
	r    *rand.Rand
	over bool
	high wire.Number
}

func (l *liar) again() {
	if l.over {
		return
	}
	if l.n.Up && !l.n.Paused {
		l.lie()
	}
	l.w.After(time.Duration(50+l.r.IntN(100))*time.Millisecond, l.again)
}

func (l *liar) lie() {
	switch l.r.IntN(9) {
	case 0:
		l.claim(wire.CausePromotion)
	case 1:
		l.claim(wire.CauseElection)
	case 2:
		l.inflate()
	case 3:
		l.merge()
	case 4:
		l.report()
	case 5:
		l.admin()
	case 6:
		l.forgeRecord()
	case 7:
		l.withdraw()
	case 8:
		l.pages()
	}
}

func (l *liar) toAll(f wire.Frame) {
	for _, n := range l.w.Nodes {
		if n != l.n {
			l.w.send(l.n, n, f)
		}
	}
}

func (l *liar) record(h wire.HubRecord, admin []byte) []byte {
	h.Group, h.Version = l.w.charter.Group(), 1
	_, h.Log = l.n.Seat.Ledger().Log().End()
	return h.Sign(signer{l.n.Key}, admin)
}

func (l *liar) show(record []byte, linked ...[]byte) {
	l.toAll(&wire.HubRecordFrame{Record: record, Linked: linked, Evidence: l.evidence()})
}

// evidence is its own report and attach: what it can make.
func (l *liar) evidence() []wire.Evidence {
	opened := l.n.Seat.Branch().Term().Opened
	r := wire.Report{Group: l.w.charter.Group(), Opened: opened}.Sign(signer{l.n.Key})
	a := wire.Attach{Group: l.w.charter.Group(), Opened: opened, Last: wire.Place{Primary: l.n.Key}, Time: wire.MaxMillis}.Sign(signer{l.n.Key})
	return []wire.Evidence{{Tag: protocols.TagGroupReport, Structure: r}, {Tag: protocols.TagGroupAttach, Structure: a}}
}

// claim claims at will, linked to the truth.
func (l *liar) claim(c wire.Cause) {
	cur := l.n.Seat.Branch().Record
	l.show(l.record(wire.HubRecord{Number: cur.Number + 1, Links: []wire.HubHash{cur.Hash()}, Cause: c}, nil), cur.Bytes())
}

// inflate claims a number far ahead, over a record of its own making.
func (l *liar) inflate() {
	l.high += wire.Number(l.r.IntN(1000))
	friend := signer{keyOf(5000)}
	link := wire.HubRecord{
		Group: l.w.charter.Group(), Number: l.high + 100, Version: 1, Shadow: l.n.Key, Links: []wire.HubHash{{1}}, Cause: wire.CausePromotion,
	}.Sign(friend, nil)
	parsed, err := wire.ParseHubRecord(verifier{"model"}, link)
	check(err)
	l.show(l.record(wire.HubRecord{Number: l.high + 101, Links: []wire.HubHash{parsed.Hash()}, Cause: wire.CausePromotion}, nil), link)
}

// merge merges the true branch into one of its own, which nobody follows.
func (l *liar) merge() {
	cur := l.n.Seat.Branch().Record
	mine := l.record(wire.HubRecord{Number: cur.Number + 1, Links: []wire.HubHash{cur.Hash()}, Cause: wire.CausePromotion}, nil)
	parsed, err := wire.ParseHubRecord(verifier{"model"}, mine)
	check(err)
	l.show(l.record(wire.HubRecord{Number: cur.Number + 2, Links: []wire.HubHash{parsed.Hash(), cur.Hash()}, Cause: wire.CauseMerge}, nil), mine, cur.Bytes())
}

func (l *liar) report() {
	r := wire.Report{Group: l.w.charter.Group(), Opened: l.n.Seat.Branch().Term().Opened, Time: wire.Millis(l.w.Now.UnixMilli())}
	l.toAll(&wire.ReportFrame{Report: r.Sign(signer{l.n.Key})})
}

// admin names itself hub, as an admin that it is not.
func (l *liar) admin() {
	cur := l.n.Seat.Branch().Record
	h := wire.HubRecord{
		Group: l.w.charter.Group(), Number: cur.Number + 1, Version: 1, Primary: l.n.Key, Links: []wire.HubHash{cur.Hash()}, Cause: wire.CauseAdmin,
	}
	_, h.Log = l.n.Seat.Ledger().Log().End()
	h.Admin = l.n.Key
	l.show(l.record(h, h.SignAdmin(signer{l.n.Key})), cur.Bytes())
	l.toAll(&wire.Named{Draft: h.Draft(signer{l.n.Key})})
}

// forgeRecord publishes in another's name.
func (l *liar) forgeRecord() {
	victim := l.w.Nodes[l.r.IntN(len(l.w.Nodes))]
	b := wire.SignRecords(signer{l.n.Key}, []wire.Record{{
		Group: l.w.charter.Group(), ID: wire.RecordID{99, byte(l.r.IntN(256))}, Kind: wire.KindLeave, Time: wire.Millis(l.w.Now.UnixMilli()),
		Payload: (&wire.Target{Kind: wire.KindLeave}).Append(nil),
	}})[0]
	r, err := wire.ParseRecord(b)
	check(err)
	forged := *r
	forged.Author = victim.Key
	entry := (&wire.Entry{Record: &forged}).Append(nil)
	l.toAll(&wire.Publish{Group: l.w.charter.Group(), Records: [][]byte{entry[1 : len(entry)-1]}})
}

// withdraw takes back what is not its own to take back.
func (l *liar) withdraw() {
	b := l.n.Seat.Branch()
	back := b.Record
	if len(b.Links) > 0 {
		back = b.Links[0]
	}
	x := wire.Withdrawal{Group: l.w.charter.Group(), Claim: b.Term().Opened, Back: back.Hash()}.Sign(signer{l.n.Key})
	l.toAll(&wire.WithdrawnFrame{HubRecordFrame: wire.HubRecordFrame{Record: back.Bytes()}, Withdrawal: x})
	l.toAll(&wire.Yield{HubRecordFrame: b.Frame()})
}

// pages sends a log of its own as if it were hub.
func (l *liar) pages() {
	f, last, ok := l.n.Seat.Ledger().Log().Page(l.w.charter.Group(), 0, l.n.Seat.Ledger().Log().Seq())
	if !ok || len(f.Entries) < 2 {
		return
	}
	f.Entries = f.Entries[:len(f.Entries)-1]
	f.Runs[len(f.Runs)-1].Entries--
	f.Head = wire.Head{Group: l.w.charter.Group(), Term: l.n.Seat.Branch().Term(), Seq: last - 1}.Sign(signer{l.n.Key})
	l.toAll(f.FanOut())
	l.toAll(f.Replicate())
}
