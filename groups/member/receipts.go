package member

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Receipts go out at once, also those about one message after the other, until this
// node has used up what it may say: of a burst they tell by and by. What all members
// may together is what a hub passes on.
const (
	receiptEach  = 20 * time.Millisecond  // earns one
	receiptShare = 100 * time.Microsecond // for each member: if that is longer
	receiptsFree = 30                     // that can be saved
)

// What gets lost on its way to the hub, or from there to an author, is said again,
// and asked for, after so long, and then after twice as long, up to a bound.
const (
	firstAgain = 2 * time.Second
	lastAgain  = 5 * time.Minute
)

// receipts is what this node acknowledges, and what others have.
type receipts struct {
	own     Repeat      // this node's
	spent   time.Time   // until when those that went out are paid for
	last    wire.Millis // the time of the one that was made last: the next is later
	ask     Repeat      // for those of others
	asked   wire.Seq    // of the newest record of this node's that is in the log
	read    wire.Seq
	waiting map[wire.Seq]bool
	of      map[protocols.Key]*wire.Receipt // newest, verified
	came    map[protocols.Key]*wire.Receipt // what was passed on last, verified when it is to count
}

// Standing is who has a record, besides its author.
type Standing struct {
	Delivered int // members that hold it and can open it
	Read      int
	Members   int // that could, the author not counted
}

// acknowledgeSoon lets a receipt go out.
func (m *Member) acknowledgeSoon(now time.Time) {
	m.receipts.own.Begin(later(now, m.receipts.spent.Add(-(receiptsFree-1)*m.receiptEach())))
}

// receiptEach is how often a receipt goes out in the long run.
func (m *Member) receiptEach() time.Duration {
	return max(receiptEach, time.Duration(m.cfg.Ledger.Fold().Len())*receiptShare)
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
	b := m.dueReceipt(now)
	switch {
	case b == nil:
	case m.hub.Leads:
		m.ready.Receipt = b
		m.receipts.own.End() // nothing is lost on this way
	default:
		m.send(m.hub.Primary, wire.OwnReceipts(m.cfg.Group, b))
	}
}

// dueReceipt is what is to be sent now, nil for nothing.
func (m *Member) dueReceipt(now time.Time) []byte {
	if m.removed || !m.receipts.own.Turn(now) {
		return nil
	}
	if !m.cfg.Ledger.Fold().Member(m.cfg.Self) { // a relay has nothing of what it holds
		m.receipts.own.End()
		return nil
	}
	m.receipts.spent = later(now, m.receipts.spent).Add(m.receiptEach())
	return m.receipt(now).Sign(m.cfg.Signer)
}

// ownStands notes that a record of this node's stands in the log, and who has it is
// to be heard.
func (m *Member) ownStands(now time.Time, e journal.Entry) {
	if e.Record.Kind.Receipted() {
		m.receipts.asked = e.Place.Seq
		m.receipts.ask.Begin(now.Add(firstAgain))
	}
}

// askReceipts asks for the receipts of others until all have what this node wrote
// last. Who is away for long is asked for less and less.
func (m *Member) askReceipts(now time.Time) {
	if !m.receipts.ask.Turn(now) {
		return
	}
	if m.hub.Leads || m.allHave(m.receipts.asked) {
		m.receipts.ask.End()
		return
	}
	m.AskReceipts()
}

// allHave says whether all others have what stands at a seq, if anything does. What they
// say of it is verified when all say so, and not before.
func (m *Member) allHave(s wire.Seq) bool {
	e, ok := m.log().At(s)
	if !ok {
		return true
	}
	for k := range m.cfg.Ledger.Fold().All() {
		if k != e.Record.Author && !m.says(k, s) {
			return false
		}
	}
	st := m.Standing(s)
	return st.Delivered == st.Members
}

// says says whether a member may have the record at a seq: if not, it has not.
func (m *Member) says(of protocols.Key, s wire.Seq) bool {
	c, r := m.receipts.came[of], m.ofThisLog(m.receipts.of[of])
	return c != nil && c.Covers(s) || r != nil && r.Covers(s)
}

// AskReceipts asks the hub for the newest receipt of every other member.
func (m *Member) AskReceipts() { m.send(m.hub.Primary, wire.OwnReceipts(m.cfg.Group)) }

// Receipt returns a member's newest receipt of this very log, nil for none.
func (m *Member) Receipt(of protocols.Key) *wire.Receipt {
	return m.ofThisLog(m.proven(of))
}

// ofThisLog returns a receipt, nil if it is of a log that was cut since.
func (m *Member) ofThisLog(r *wire.Receipt) *wire.Receipt {
	if r == nil || !m.log().Has(r.Last.Seq, r.Log) {
		return nil
	}
	return r
}

// proven returns a member's newest receipt that is known to be its own, nil for
// none.
func (m *Member) proven(of protocols.Key) *wire.Receipt {
	m.prove(of)
	return m.receipts.of[of]
}

// prove lets what came last of some members count if they signed it. One that nobody
// signed says nothing, and nothing of the hub either, which passes on what it does not
// verify. One that is of a place that this log has not reached stays until it has: a
// receipt may overtake the page that it is about.
func (m *Member) prove(of ...protocols.Key) {
	var list []*wire.Receipt
	for _, k := range of {
		c, ok := m.receipts.came[k]
		if !ok || c.Last.Seq > m.log().Seq() {
			continue
		}
		delete(m.receipts.came, k)
		if m.log().Has(c.Last.Seq, c.Log) {
			list = append(list, c)
		}
	}
	if m.receipts.of == nil {
		m.receipts.of = make(map[protocols.Key]*wire.Receipt)
	}
	for i, good := range wire.VerifyReceipts(m.cfg.Verifier, list) {
		if good {
			m.receipts.of[list[i].Member] = list[i]
		}
	}
}

// news says whether the receipt of a member's that came last says more of the record at
// a seq than is known: only then it is verified.
func (m *Member) news(of protocols.Key, s wire.Seq) bool {
	c, ok := m.receipts.came[of]
	if !ok || c.Last.Seq < s {
		return false
	}
	r := m.ofThisLog(m.receipts.of[of])
	return r == nil || !r.Covers(s) || r.Read < s && c.Read >= s
}

// hear lets all that came last count, as far as it says more of the record at a seq.
func (m *Member) hear(s wire.Seq) {
	var news []protocols.Key
	for k := range m.receipts.came {
		if m.news(k, s) {
			news = append(news, k)
		}
	}
	m.prove(news...)
}

// Has says whether a member has opened the record at a seq, as far as this node was told.
// Who asks that of one asks it of all, one after the other.
func (m *Member) Has(of protocols.Key, s wire.Seq) bool {
	if m.news(of, s) {
		m.hear(s)
	}
	r := m.ofThisLog(m.receipts.of[of])
	return r != nil && r.Covers(s)
}

func (m *Member) receipt(now time.Time) wire.Receipt {
	p, hash := m.log().End()
	waiting := m.waitingSeqs(p.Seq)
	if len(waiting) > wire.MaxWaiting {
		e, _ := m.log().At(waiting[wire.MaxWaiting] - 1)
		p, hash, waiting = e.Place, e.Hash, waiting[:wire.MaxWaiting]
	}
	m.receipts.last = max(m.receipts.last+1, wire.Millis(now.UnixMilli()))
	return wire.Receipt{
		Group: m.cfg.Group, Last: p, Log: hash, Read: min(m.receipts.read, p.Seq), Waiting: waiting, Time: m.receipts.last,
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

// OnReceipts takes receipts that the hub passes on. One that is of another log, or
// older than what is known, says nothing. An error says that the hub passed on what
// is no receipt.
func (m *Member) OnReceipts(list [][]byte) (err error) {
	told := make([]*wire.Receipt, 0, len(list))
	for _, b := range list {
		var r *wire.Receipt
		if r, err = wire.ReadReceipt(b); err != nil {
			break
		}
		if m.takeReceipt(r) {
			told = append(told, r)
		}
	}
	if len(told) > 0 {
		m.ready.Events = append(m.ready.Events, Event{Kind: Receipted, Receipts: told})
	}
	return err
}

// takeReceipt takes a receipt that was passed on, and says whether it says anything.
func (m *Member) takeReceipt(r *wire.Receipt) bool {
	old := m.ofThisLog(m.receipts.of[r.Member])
	stale := old != nil && r.Last.Seq <= old.Last.Seq && r.Time <= old.Time
	here := m.log().Has(r.Last.Seq, r.Log)
	if stale || r.Group != m.cfg.Group || !here && r.Last.Seq <= m.log().Seq() || !m.cfg.Ledger.Fold().Member(r.Member) {
		return false
	}
	if !here { // what came before may count already
		m.proven(r.Member)
	}
	if m.receipts.came == nil {
		m.receipts.came = make(map[protocols.Key]*wire.Receipt)
	}
	m.receipts.came[r.Member] = r
	return true
}

// Standing returns who has the record at a seq, as far as this node was told.
// Receipts of a log that was cut since do not count.
func (m *Member) Standing(s wire.Seq) (st Standing) {
	e, ok := m.log().At(s)
	if !ok {
		return st
	}
	m.hear(s)
	for k := range m.cfg.Ledger.Fold().All() {
		if k == e.Record.Author {
			continue
		}
		st.Members++
		r := m.ofThisLog(m.receipts.of[k])
		if r == nil || !r.Covers(s) {
			continue
		}
		st.Delivered++
		if r.Read >= s {
			st.Read++
		}
	}
	return st
}
