package member

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
)

// ErrHub is returned for what a hub that keeps to the rules does not send.
var ErrHub = errors.New("the hub broke a rule")

// OnRecords takes a page of the hub's log. The hub is whom this node follows.
func (m *Member) OnRecords(now time.Time, f *wire.Records) error {
	if m.hub.Leads || len(f.Entries) == 0 || f.First == 0 {
		return nil
	}
	head, err := m.checkHead(f)
	if err != nil {
		return err
	}
	if head.Term != m.hub.Term { // the word that the hub leads another has not come, or is older
		m.gap(now)
		return nil
	}
	before := f.First - 1
	held, known := m.log().HashAt(before)
	base, _ := m.log().Base()
	switch {
	case before > m.log().Seq() || before < base.Seq: // or forgotten here
		m.gap(now)
		return nil
	case !known || held != f.Before:
		m.goBack(before)
		return nil
	}
	page, err := m.readPage(f, head)
	if err != nil || !m.rooted(f.Before, page) {
		return err
	}
	m.timed(now, head)
	m.starved.fed(head.Seq, !m.log().Has(head.Seq, head.Log), sizeOf(f), m.starveAfter())
	m.takePage(now, head, page)
	return nil
}

// takePage makes a page part of the log.
func (m *Member) takePage(now time.Time, head *wire.Head, p page) {
	m.early(head, p)
	m.head = head
	m.take(now, p)
	m.removed = m.removed && !m.cfg.Ledger.Fold().Hears(m.cfg.Self) // its join has come there since
	m.compareUpTo(head.Seq, len(p))
	m.back, m.grew = 1, true
	m.acknowledgeSoon(now)
}

// checkHead verifies the head of the hub's page, and compares it with the newest one.
func (m *Member) checkHead(f *wire.Records) (*wire.Head, error) {
	head, err := m.readHead(f)
	if err != nil {
		return nil, err
	}
	if head.Primary != m.hub.Primary {
		return nil, ErrHub
	}
	m.OnHead(head)
	return head, nil
}

func (m *Member) readHead(f *wire.Records) (*wire.Head, error) {
	head, err := wire.ParseHead(m.cfg.Verifier, f.Head)
	if err != nil {
		return nil, err
	}
	if head.Group != m.cfg.Group || head.Seq != f.First+wire.Seq(len(f.Entries))-1 {
		return nil, ErrHub
	}
	return head, nil
}

// page is a page whose records are verified.
type page []pageEntry

type pageEntry struct {
	place wire.Place
	raw   []byte
	entry *wire.Entry
}

func (p page) hash(h wire.LogHash) wire.LogHash {
	for _, e := range p {
		h = h.NextSum(e.place, e.entry.Sum(e.raw))
	}
	return h
}

// readPage verifies the page's records, and that they are what its head is about.
func (m *Member) readPage(f *wire.Records, head *wire.Head) (page, error) {
	p, err := m.parsePage(f)
	if err == nil && p.hash(f.Before) != head.Log {
		err = ErrHub
	}
	return p, err
}

// parsePage reads the page's records, and verifies them together.
func (m *Member) parsePage(f *wire.Records) (page, error) {
	p, err := m.parseEntries(f)
	var unknown []*wire.Record
	for _, e := range p {
		if !m.holds(e.entry.Record) {
			unknown = append(unknown, e.entry.Record)
		}
	}
	if err := wire.VerifyAll(m.cfg.Prover, unknown...); err != nil {
		return nil, err
	}
	return p, err
}

// parseEntries reads the page's records, as many as there are before the first that may
// not stand there.
func (m *Member) parseEntries(f *wire.Records) (page, error) {
	p, seq := make(page, 0, len(f.Entries)), f.First
	for _, run := range f.Runs {
		for range run.Entries {
			raw := f.Entries[len(p)]
			e, err := f.Entry(len(p))
			if err != nil {
				return p, err
			}
			if e.Record.Group != m.cfg.Group || run.Number > m.hub.Term.Number {
				return p, ErrHub
			}
			p = append(p, pageEntry{wire.Place{Number: run.Number, Primary: run.Primary, Seq: seq}, raw, e})
			seq++
		}
	}
	return p, nil
}

// holds says whether this node holds the very record with that very proof, which is
// verified: what stands in a log must prove itself to whoever gets it later.
func (m *Member) holds(r *wire.Record) bool {
	h := m.held[r.Name()]
	return h != nil && bytes.Equal(h.record.Bytes(), r.Bytes())
}

// take makes the page part of the log. What stands in its place, and differs,
// is cut off and held.
func (m *Member) take(now time.Time, p page) {
	moved := 0
	for len(p) > 0 {
		e, ok := m.log().At(p[0].place.Seq)
		if !ok {
			break
		}
		if e.Place != p[0].place || string(e.Raw) != string(p[0].raw) {
			moved = m.cut(now, p[0].place.Seq-1)
			break
		}
		p = p[1:]
	}
	m.ready.Events = slices.Grow(m.ready.Events, len(p))
	for _, e := range p {
		m.append(now, e)
		if !m.checkRoot() {
			m.cfg.Ledger.Empty()
			return
		}
	}
	if moved > 0 {
		m.ready.Events = append(m.ready.Events, Event{Kind: Moved, Count: moved})
	}
}

// cut takes off what the hub's log has not, and holds it.
func (m *Member) cut(now time.Time, seq wire.Seq) int {
	m.refill, m.cutAt = m.log().Seq(), now
	cut := m.cfg.Ledger.Cut(seq)
	if len(cut) > 0 {
		m.ready.Events = append(m.ready.Events, Event{Kind: Shortened, Cut: cutOf(seq, cut)})
	}
	for _, e := range cut {
		m.hold(now, e.Record, oldOf(e, []*wire.Head{m.oldHead, m.head}))
	}
	m.lacking = true
	return len(cut)
}

func (m *Member) append(now time.Time, e pageEntry) {
	held, err := m.cfg.Ledger.Append(e.place, e.raw, e.entry)
	if err != nil {
		return
	}
	name := e.entry.Record.Name()
	m.kept.placed(name)
	h := m.hold(now, held.Record, oldOf(held, []*wire.Head{m.head}))
	if name.Author == m.cfg.Self {
		m.accepted(name, held.Place, 0)
		m.ownStands(now, held)
	}
	m.show(h, held)
}

// show tells of a record that has come to stand in the log, once.
func (m *Member) show(h *held, e journal.Entry) {
	if h.shown {
		return
	}
	h.shown = true
	void := m.cfg.Ledger.Void(e.Place.Seq)
	m.ready.Events = append(m.ready.Events, Event{Kind: Arrived, Record: e.Record, Place: e.Place, Err: void, Undue: m.undue(e, void)})
}

// undue says of a record without effect that the hub had to refuse it: it took it
// first, in its present term, or when its day was over.
func (m *Member) undue(e journal.Entry, void error) bool {
	refused := e.Old == nil && void != nil || errors.Is(void, roster.ErrPast)
	return refused && !m.hub.Leads && e.Place.Primary == m.hub.Primary && e.Place.Number == m.hub.Term.Number
}

// Sequenced holds a record that the hub on this node put into order, and tells of it.
func (m *Member) Sequenced(now time.Time, s wire.Seq) {
	if e, ok := m.log().At(s); ok {
		m.kept.placed(e.Record.Name())
		h := m.hold(now, e.Record, oldOf(e, nil))
		m.acknowledgeSoon(now)
		m.show(h, e)
	}
}

// Led notes the newest head that the hub on this node signed, before another is.
func (m *Member) Led(head []byte) {
	if h, err := wire.ParseHead(m.cfg.Verifier, head); err == nil {
		m.head = h
	}
}

// Acknowledge tells the hub how far the log goes now, when all pages that came
// together are taken in and opened, and with it what a receipt says, if one is due.
// Nil: there is nothing new to tell.
func (m *Member) Acknowledge(now time.Time) *wire.Replicated {
	if !m.grew {
		return nil
	}
	m.grew = false
	p, hash := m.log().End()
	return &wire.Replicated{Group: m.cfg.Group, Number: m.hub.Term.Number, Seq: p.Seq, Log: hash, Receipt: m.dueReceipt(now)}
}

// gap tells the hub where the log stands, because something is missing.
func (m *Member) gap(now time.Time) {
	if now.Sub(m.attached) >= m.tenths(gapTenths) {
		m.attached, m.ready.Attach = now, true
	}
}

// goBack asks the hub whether it knows an earlier place of this log: each step
// is twice as long as the one before. One that has nothing earlier asks for the
// beginning, for which a hub that has forgotten it gives a snapshot.
func (m *Member) goBack(from wire.Seq) {
	base, _ := m.log().Base()
	to := wire.Seq(0)
	if from = min(from, m.log().Seq()); from >= m.back+base.Seq {
		to = from + 1 - m.back
	} else if from >= base.Seq {
		to = base.Seq
	}
	m.back *= 2
	hash, ok := m.log().HashAt(to)
	if !ok {
		hash = m.cfg.Ledger.Beginning()
	}
	m.syncs++
	m.syncFrom = to
	m.send(m.hub.Primary, &wire.Sync{N: m.syncs, Group: m.cfg.Group, From: to, Log: hash})
}

// OnPageEnd takes the hub's word that the place last asked for is in its log. If
// pages follow they hold what stands behind it there, otherwise nothing does.
func (m *Member) OnPageEnd(now time.Time, f *wire.PageEnd) {
	if m.hub.Leads || f.N != m.syncs || f.N == m.synced {
		return
	}
	m.synced, m.back = f.N, 1
	if base, _ := m.log().Base(); m.syncFrom < base.Seq {
		m.begin(now, m.cfg.Ledger.Empty)
	}
	if !f.More {
		m.cut(now, m.syncFrom)
		m.refill = 0
	}
}

// CatchingUp says that the log was cut and is not as long again as it was: its
// roster is an older one than this node knew.
func (m *Member) CatchingUp(now time.Time) bool {
	return m.log().Seq() < m.refill && now.Sub(m.cutAt) < catchUp
}

// OnBeat takes a beat of the hub: up to which seq its log is accepted, and its time.
func (m *Member) OnBeat(now time.Time, b *wire.Beat) {
	m.times.note(b.Time)
	m.starved.knows(b.Seq)
	switch {
	case b.Seq <= m.log().Seq():
		m.behind = time.Time{}
	case m.behind.IsZero():
		m.behind = now
	}
}
