package member_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// history is a log as its hub, alice, has it.
type history struct {
	d *desk
	l *ledger.Ledger
}

func newHistory(d *desk) *history { return &history{d, ledger.New(protocols.Main, d.c)} }

func (h *history) append(r *wire.Record) {
	h.d.t.Helper()
	e := &wire.Entry{Record: r}
	p := wire.Place{Number: 1, Primary: alice.Public(), Seq: h.l.Log().Seq() + 1}
	if _, err := h.l.Append(p, e.Append(nil), e); err != nil {
		h.d.t.Fatal(err)
	}
}

// snapshot appends one by a member, and returns the frame that shows it.
func (h *history) snapshot(by protocols.Signer, change func(*wire.Roster)) *wire.SnapshotFrame {
	h.d.t.Helper()
	r := h.l.Fold().Roster()
	if change != nil {
		change(&r)
	}
	h.d.id++
	_, before := h.l.Log().End()
	h.append(h.d.signed(by, wire.RecordID{h.d.id}, wire.KindSnapshot, r.Append(nil)))
	e, _ := h.l.Log().At(h.l.Log().Seq())
	head := wire.Head{Group: h.d.c.Group(), Term: h.d.term, Seq: e.Place.Seq, Log: e.Hash}
	return &wire.SnapshotFrame{
		Group: h.d.c.Group(), Charter: h.d.c.Bytes(), Hubs: [][]byte{}, Entry: e.Raw, Place: e.Place, Before: before, Head: head.Sign(alice),
	}
}

// show shows a snapshot, and says whether it was taken, and whether the hub was
// named.
func (d *desk) show(f *wire.SnapshotFrame) (taken, named bool, err error) {
	d.m.Ready()
	before := d.ledger.Log().Seq()
	err = d.m.OnSnapshot(d.now, f)
	for _, e := range d.m.Ready().Events {
		named = named || e.Kind == member.Unrooted && e.Peer == alice.Public()
	}
	return d.ledger.Log().Seq() != before, named, err
}

func TestWhoComesLateTakesASnapshot(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := newHistory(d)
	for range 5 {
		h.append(d.record())
	}
	f := h.snapshot(alice, nil)
	if taken, named, err := d.show(f); !taken || named || err != nil || d.ledger.Fold().Hash() != h.l.Fold().Hash() {
		t.Errorf("taken %v, named %v: %v", taken, named, err)
	}
	if taken, _, err := d.show(f); taken || err != nil {
		t.Errorf("taken twice: %v", err)
	}
	d.taken(d.page(d.hashAt(6), 7, d.record()))
	if d.ledger.Log().Seq() != 7 {
		t.Error("what follows is not taken")
	}
}

// What no honest hub shows changes nothing; where it is about the hub's log, the
// hub is named.
func TestFalseSnapshotsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make  func(d *desk, h *history) *wire.SnapshotFrame
		named bool
	}{
		"by one who is no admin": {func(_ *desk, h *history) *wire.SnapshotFrame { return h.snapshot(bob, nil) }, true},
		"older than what is known": {func(d *desk, h *history) *wire.SnapshotFrame {
			d.taken(d.page(d.c.Hash(), 1, d.record(), d.record()))
			return h.snapshot(alice, func(r *wire.Roster) { r.Version = 1 })
		}, true},
		"of another group": {func(d *desk, h *history) *wire.SnapshotFrame {
			f := h.snapshot(alice, nil)
			e, _ := wire.ParseEntry(f.Entry)
			r := *e.Record
			r.Group[0]++
			b := wire.SignRecords(alice, []wire.Record{r})[0]
			forged, _ := wire.ParseRecord(b)
			f.Entry = (&wire.Entry{Record: forged}).Append(nil)
			f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: f.Place.Seq, Log: f.Before.Next(f.Place, f.Entry)}.Sign(alice)
			return f
		}, false},
		"whose author did not sign it": {func(d *desk, h *history) *wire.SnapshotFrame {
			f := h.snapshot(bob, nil)
			e, _ := wire.ParseEntry(f.Entry)
			e.Record.Author = alice.Public()
			f.Entry = e.Append(nil)
			f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: f.Place.Seq, Log: f.Before.Next(f.Place, f.Entry)}.Sign(alice)
			return f
		}, false},
		"that is a message": {func(d *desk, h *history) *wire.SnapshotFrame {
			f := h.snapshot(alice, nil)
			f.Entry = (&wire.Entry{Record: d.record()}).Append(nil)
			f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: f.Place.Seq, Log: f.Before.Next(f.Place, f.Entry)}.Sign(alice)
			return f
		}, false},
		"in a log that the hub did not sign": {func(_ *desk, h *history) *wire.SnapshotFrame {
			f := h.snapshot(alice, nil)
			f.Before[0]++
			return f
		}, false},
		"under a head of another": {func(d *desk, h *history) *wire.SnapshotFrame {
			f := h.snapshot(alice, nil)
			f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: f.Place.Seq, Log: f.Before.Next(f.Place, f.Entry)}.Sign(carol)
			return f
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			h := newHistory(d)
			for range 5 {
				h.append(d.record())
			}
			f := c.make(d, h)
			taken, named, err := d.show(f)
			if taken || named != c.named || c.named != (err == nil) {
				t.Errorf("taken %v, named %v: %v", taken, named, err)
			}
		})
	}
}

// One that nobody asked for, of a hub whose log this node knows, changes nothing.
func TestASnapshotForNothingIsPassedOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h := newHistory(d)
	records := []*wire.Record{d.record(), d.record(), d.record()}
	for _, r := range records[:2] {
		h.append(r)
	}
	d.taken(d.page(d.c.Hash(), 1, records...))
	f := h.snapshot(alice, nil)
	if taken, named, err := d.show(f); taken || named || err != nil {
		t.Errorf("taken %v, named %v: %v", taken, named, err)
	}
	f.N = 99
	if taken, _, _ := d.show(f); taken {
		t.Error("taken as an answer to what was not asked")
	}
}

// A joiner was promised a place of the log, and a roster there.
func TestAJoinerHoldsTheHubToItsInvite(t *testing.T) {
	t.Parallel()
	type promise struct {
		d *desk
		h *history
		f *wire.SnapshotFrame
	}
	begin := func(t *testing.T, root func(p *promise) member.Root) *promise {
		p := &promise{d: newDesk(t)}
		p.h = newHistory(p.d)
		for range 3 {
			p.h.append(p.d.record())
		}
		p.f = p.h.snapshot(alice, nil)
		r := root(p)
		p.d.m = member.New(start, member.Config{
			Group: p.d.c.Group(), Self: bob.Public(), Signer: bob, Verifier: protocols.Main, Prover: prover{newCounting()}, Ledger: p.d.ledger, Beat: 500 * time.Millisecond, Root: &r,
		}, member.Hub{Term: p.d.term, Primary: alice.Public()})
		return p
	}
	at := func(p *promise, s wire.Seq) member.Root {
		log, _ := p.h.l.Log().HashAt(s)
		return member.Root{Seq: s, Log: log, Roster: p.h.l.Fold().Version(), RosterHash: p.h.l.Fold().Hash()}
	}
	for name, c := range map[string]struct {
		root  func(p *promise) member.Root
		taken bool
	}{
		"just before":    {func(p *promise) member.Root { return at(p, 3) }, true},
		"there":          {func(p *promise) member.Root { return at(p, 4) }, true},
		"later":          {func(p *promise) member.Root { p.h.append(p.d.record()); return at(p, 5) }, true},
		"long before":    {func(p *promise) member.Root { return at(p, 2) }, false},
		"another log":    {func(p *promise) member.Root { r := at(p, 4); r.Log[0]++; return r }, false},
		"another before": {func(p *promise) member.Root { r := at(p, 3); r.Log[0]++; return r }, false},
		"another roster": {func(p *promise) member.Root { r := at(p, 4); r.RosterHash[0]++; return r }, false},
		"an older one":   {func(p *promise) member.Root { r := at(p, 4); r.Roster--; return r }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := begin(t, c.root)
			taken, named, err := p.d.show(p.f)
			if taken != c.taken || named == c.taken || err != nil {
				t.Errorf("taken %v, named %v: %v", taken, named, err)
			}
		})
	}
}
