package member

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Root is what a joiner was promised by an admin's invite: the log's hash up to a
// place of it, and the roster there. A hub that shows another history is not
// followed.
type Root struct {
	Issuer     protocols.Key
	Seq        wire.Seq
	Log        wire.LogHash
	Roster     wire.RosterVersion
	RosterHash wire.RosterHash
}

// margin is how much sooner than its day is over a record is offered no more: the
// hub may have forgotten it already.
const margin = 10 * time.Minute

// OnSnapshot takes a snapshot of the roster, of a hub whose log begins behind this
// node's, or that shares no place of it that is still known.
func (m *Member) OnSnapshot(now time.Time, f *wire.SnapshotFrame) error {
	base, _ := m.log().Base()
	behind := f.Place.Seq > m.log().Seq()+1
	asked := f.N != 0 && f.N == m.syncs && f.Place.Seq != base.Seq+1
	if m.hub.Leads || f.Place.Seq == 0 || !behind && !asked {
		return nil
	}
	e, r, err := m.checkSnapshot(f)
	if err != nil || e == nil {
		return err
	}
	if !m.trusts(f, e.Record, r) {
		m.ready.Events = append(m.ready.Events, Event{Kind: Unrooted, Peer: m.hub.Primary})
		return nil
	}
	m.begin(now, func() {
		place := f.Place
		place.Seq--
		m.cfg.Ledger.Begin(ledger.Base{Place: place, Hash: f.Before}, r)
		m.append(now, pageEntry{f.Place, f.Entry, e})
	})
	if !m.checkRoot() {
		m.cfg.Ledger.Empty()
		return nil
	}
	m.grew = true
	m.starved.ends()
	return nil
}

// checkSnapshot verifies that the hub signed a log in which the snapshot stands,
// and that its author did the snapshot. A head of another term is no error: then
// nothing is returned.
func (m *Member) checkSnapshot(f *wire.SnapshotFrame) (*wire.Entry, *wire.Roster, error) {
	head, err := wire.ParseHead(m.cfg.Verifier, f.Head)
	if err != nil {
		return nil, nil, err
	}
	if head.Term != m.hub.Term {
		return nil, nil, nil
	}
	e, err := wire.ParseEntry(f.Entry)
	if err == nil {
		err = e.Record.Verify(m.cfg.Prover)
	}
	if err != nil {
		return nil, nil, err
	}
	if head.Group != m.cfg.Group || head.Primary != m.hub.Primary || head.Seq != f.Place.Seq ||
		head.Log != f.Before.Next(f.Place, f.Entry) || e.Record.Group != m.cfg.Group || e.Record.Kind != wire.KindSnapshot {
		return nil, nil, ErrHub
	}
	r, err := wire.ParseRoster(e.Record.Payload)
	return e, r, err
}

// trusts says whether a log may begin with a snapshot. A joiner's must begin
// before what it was promised, and is held to that when it comes there; a relay's
// with one in which who listed it is an admin; all others take none that is older than what they know, or that is not by one whom
// they know as an admin.
func (m *Member) trusts(f *wire.SnapshotFrame, rec *wire.Record, r *wire.Roster) bool {
	root := m.cfg.Root
	if m.log().Len() == 0 && slices.ContainsFunc(r.Members, func(x wire.Member) bool { return x.Node == m.cfg.Lister && x.Role == wire.RoleAdmin }) {
		return true
	}
	if root == nil || m.log().Len() > 0 {
		return m.cfg.Ledger.Fold().Precedes(rec.Author, r)
	}
	switch f.Place.Seq {
	case root.Seq + 1:
		return f.Before == root.Log && r.Hash() == root.RosterHash
	case root.Seq:
		return f.Before.Next(f.Place, f.Entry) == root.Log
	}
	return f.Place.Seq < root.Seq && r.Version <= root.Roster
}

// begin replaces the log. What stood in it and is no day old is held, and offered
// to the hub.
func (m *Member) begin(now time.Time, anew func()) {
	var before []journal.Entry
	m.log().All(func(e journal.Entry) { before = append(before, e) })
	m.refill, m.cutAt = m.log().Seq(), now
	heads := []*wire.Head{m.oldHead, m.head}
	anew()
	moved := 0
	for _, e := range before {
		if _, ok := m.log().Find(e.Record.Name()); !ok && !m.old(now, e.Record, Life-margin) {
			moved++
			m.hold(now, e.Record, oldOf(e, heads))
		}
	}
	m.lacking = m.lacking || moved > 0
	m.back, m.synced = 1, m.syncs
	if base, _ := m.log().Base(); base.Seq < m.refill {
		m.ready.Events = append(m.ready.Events, Event{Kind: Shortened, Cut: cutOf(base.Seq, before)})
	}
	if moved > 0 {
		m.ready.Events = append(m.ready.Events, Event{Kind: Moved, Count: moved})
	}
	m.acknowledgeSoon(now)
}

// old says whether a record is so old, by its author's clock or by when it came.
func (m *Member) old(now time.Time, r *wire.Record, age time.Duration) bool {
	since := earlier(now, r)
	if h := m.held[r.Name()]; h != nil {
		since = sooner(since, h.since)
	}
	return now.Sub(since) > age
}

// Expired returns up to which seq all records' days are over, here and by the last
// snapshot: what is forgotten earlier could be brought once more.
func (m *Member) Expired(now time.Time) wire.Seq {
	base, _ := m.log().Base()
	s := base.Seq
	for {
		e, ok := m.log().At(s + 1)
		if !ok || !m.old(now, e.Record, Life) || !m.cfg.Ledger.Fold().Past(e.Record) {
			return s
		}
		s++
	}
}

// rooted checks, when a page brings the log to the place that an invite spoke of,
// that it is that log. False says that it is another: nothing was taken.
func (m *Member) rooted(before wire.LogHash, p page) bool {
	root := m.cfg.Root
	if root == nil || len(p) == 0 || p[0].place.Seq > root.Seq || p[len(p)-1].place.Seq < root.Seq {
		return true
	}
	if p[:root.Seq-p[0].place.Seq+1].hash(before) == root.Log {
		return true
	}
	m.unrooted()
	return false
}

// Root returns what the log still has to be seen to be, nil for nothing.
func (m *Member) Root() *Root { return m.cfg.Root }

// Promise takes a root in the place of one that no log was seen to have.
func (m *Member) Promise(r Root) {
	m.cfg.Root = &r
	if h, _ := m.log().HashAt(r.Seq); m.log().Seq() >= r.Seq && h != r.Log || !m.checkRoot() {
		m.cfg.Ledger.Empty()
	}
	m.back = 1
	m.goBack(m.log().Seq())
}

// unrooted says that the hub's log is not the one that the invite spoke of.
func (m *Member) unrooted() {
	m.ready.Events = append(m.ready.Events, Event{Kind: Unrooted, Peer: m.hub.Primary})
}

// checkRoot checks the roster where the log has come to the invite's place. False
// says that it is another. Behind that place it was checked before.
func (m *Member) checkRoot() bool {
	root, fold := m.cfg.Root, m.cfg.Ledger.Fold()
	if root == nil || m.log().Seq() < root.Seq {
		return true
	}
	if m.log().Seq() == root.Seq && (fold.Version() != root.Roster || fold.Hash() != root.RosterHash) {
		m.unrooted()
		return false
	}
	m.cfg.Root = nil
	m.ready.Events = append(m.ready.Events, Event{Kind: Rooted})
	return true
}
