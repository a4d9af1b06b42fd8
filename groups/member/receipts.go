package member

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// receiptTenths is how long a receipt waits for more to acknowledge, in tenths of
// the interval between two beats.
const receiptTenths = 1

// receipts is what this node acknowledges, and what others have.
type receipts struct {
	due     time.Time // of the next, zero: nothing to say
	read    wire.Seq
	waiting map[wire.Seq]bool
	of      map[protocols.Key]*wire.Receipt // newest, verified, of this very log
}

// Standing is who has a record, besides its author.
type Standing struct {
	Delivered int // members that hold it and can open it
	Read      int
	Members   int // that could, the author not counted
}

// acknowledgeSoon lets a receipt go out.
func (m *Member) acknowledgeSoon(now time.Time) {
	if m.receipts.due.IsZero() {
		m.receipts.due = now.Add(m.tenths(receiptTenths))
	}
}

// Read says up to where a person has read.
func (m *Member) Read(now time.Time, s wire.Seq) {
	if s > m.receipts.read {
		m.receipts.read = s
		m.acknowledgeSoon(now)
	}
}

// Waits says whether the key of the record at a seq is missing. At most
// wire.MaxWaiting can be: beyond, receipts end before the first that is not named.
func (m *Member) Waits(now time.Time, s wire.Seq, waits bool) {
	if m.receipts.waiting == nil {
		m.receipts.waiting = make(map[wire.Seq]bool)
	}
	if waits {
		m.receipts.waiting[s] = true
	} else {
		delete(m.receipts.waiting, s)
	}
	m.acknowledgeSoon(now)
}

// sendReceipt tells the hub, and through it the authors, what this node has.
func (m *Member) sendReceipt(now time.Time) {
	if m.receipts.due.IsZero() || now.Before(m.receipts.due) {
		return
	}
	m.receipts.due = time.Time{}
	b := m.receipt(now).Sign(m.cfg.Signer)
	if m.hub.Leads {
		m.ready.Receipt = b
		return
	}
	m.send(m.hub.Primary, wire.OwnReceipts(m.cfg.Group, b))
}

func (m *Member) receipt(now time.Time) wire.Receipt {
	p, hash := m.log().End()
	waiting := m.waitingSeqs(p.Seq)
	if len(waiting) > wire.MaxWaiting {
		e, _ := m.log().At(waiting[wire.MaxWaiting] - 1)
		p, hash, waiting = e.Place, e.Hash, waiting[:wire.MaxWaiting]
	}
	return wire.Receipt{
		Group: m.cfg.Group, Last: p, Log: hash, Read: min(m.receipts.read, p.Seq), Waiting: waiting, Time: wire.Millis(now.UnixMilli()),
	}
}

// waitingSeqs returns the records up to a seq whose key is missing.
func (m *Member) waitingSeqs(end wire.Seq) []wire.Seq {
	list := make([]wire.Seq, 0, len(m.receipts.waiting))
	for s := range m.receipts.waiting {
		if s <= end {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

// OnReceipts takes receipts that the hub passes on. One that is not of this log,
// or older than what is known, says nothing. An error says that the hub passed on
// what nobody signed.
func (m *Member) OnReceipts(list [][]byte) error {
	for _, b := range list {
		r, err := wire.ReadReceipt(b)
		if err != nil {
			return err
		}
		old := m.receipts.of[r.Member]
		stale := old != nil && r.Last.Seq <= old.Last.Seq && r.Time <= old.Time
		if stale || r.Group != m.cfg.Group || !m.log().Has(r.Last.Seq, r.Log) || !m.cfg.Ledger.Fold().Member(r.Member) {
			continue
		}
		if r, err = wire.ParseReceipt(m.cfg.Verifier, b); err != nil {
			return err
		}
		if m.receipts.of == nil {
			m.receipts.of = make(map[protocols.Key]*wire.Receipt)
		}
		m.receipts.of[r.Member] = r
		m.ready.Events = append(m.ready.Events, Event{Kind: Receipted, Receipt: r})
	}
	return nil
}

// Standing returns who has the record at a seq, as far as this node was told.
// Receipts of a log that was cut since do not count.
func (m *Member) Standing(s wire.Seq) (st Standing) {
	e, ok := m.log().At(s)
	if !ok {
		return st
	}
	for _, k := range m.cfg.Ledger.Fold().Nodes() {
		if k == e.Record.Author {
			continue
		}
		st.Members++
		r := m.receipts.of[k]
		if r == nil || r.Last.Seq < s || !m.log().Has(r.Last.Seq, r.Log) || slices.Contains(r.Waiting, s) {
			continue
		}
		st.Delivered++
		if r.Read >= s {
			st.Read++
		}
	}
	return st
}
