package member

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A hub that is heard, and brings nothing of what its log is known to have, withholds
// it. A slow link, or one that broke, explains that for a while only. Then this node
// asks others for it, and what they bring shows for how long a slow link would have.
const (
	starveTenths = 600              // for so long nothing came that is known to be there
	starveLeast  = 30 * time.Second // same, at least
	slowLink     = 8 << 10          // bytes a second that the slowest link carries
	silentTenths = 200              // a hub not heard for longer could not be reached
	stillAfter   = 5 * time.Second  // a node that did not look for so long stood still
	fullPage     = 8 << 10          // bytes of a page of the slowest hub, if more is to come

	askOthers   = 2 * time.Second // between two times that others are asked
	askedAtOnce = 3               // how many
	askStraight = 3               // so often for what follows; then, further and further back
)

// starved is what is known of the hub's log in its term, and what became of it.
type starved struct {
	known  wire.Seq      // up to where it goes, by the hub's word
	signed *wire.Head    // the newest head of it
	goal   wire.Seq      // up to where the log was known to go when something was found missing
	upTo   wire.Seq      // up to where the hub has brought it since, or it was here then
	total  time.Duration // for how long the hub was heard since, without what its pages were worth
	heard  time.Time     // when it was, up to which that is counted
	looked time.Time
	others int // bytes that others brought meanwhile
	asked  time.Time
	asks   int
	from   []protocols.Key // who was asked last
}

// knows notes that the hub's log goes up to a seq.
func (s *starved) knows(seq wire.Seq) { s.known = max(s.known, seq) }

// signs notes a head of the hub's.
func (s *starved) signs(h *wire.Head) {
	s.knows(h.Seq)
	if s.signed == nil || h.Seq > s.signed.Seq {
		s.signed = h
	}
}

// fed notes that the hub has brought a page up to a seq. new says that it was not here
// yet; what others brought meanwhile counts too. It is worth so much time as the slowest
// may take for it; all of it, if nothing is missing then of what was: a hub that has more
// to bring does not bring one record after another, each at its leisure.
func (s *starved) fed(last wire.Seq, isNew bool, size int, each time.Duration) {
	if !isNew && last <= s.upTo {
		return
	}
	s.upTo = max(s.upTo, last)
	if s.total -= time.Duration(size) * each / fullPage; s.total <= 0 || s.upTo >= s.goal {
		s.ends()
	}
}

func (s *starved) ends() { s.total, s.others, s.asks = 0, 0, 0 }

// lacks says whether the log here is known to lack something of the hub's.
func (m *Member) lacks() bool {
	s := &m.starved
	if s.known > m.log().Seq() {
		return true
	}
	if s.signed == nil {
		return false
	}
	hash, held := m.log().HashAt(s.signed.Seq)
	return held && hash != s.signed.Log
}

// starveAfter is how long a hub may bring nothing before others are asked.
func (m *Member) starveAfter() time.Duration { return max(starveLeast, m.tenths(starveTenths)) }

// Starves says whether the hub withholds its log from this node. It wants to be called
// every second or so.
func (m *Member) Starves(now time.Time) bool {
	s := &m.starved
	heard, still := m.heard.Sub(s.heard), now.Sub(s.looked) > stillAfter
	s.heard, s.looked = m.heard, now
	switch {
	case m.hub.Leads || m.removed || !m.cfg.Ledger.Fold().Hears(m.cfg.Self), still, heard > m.tenths(silentTenths):
		s.ends()
		return false
	case m.lacks():
		if s.total == 0 {
			s.goal, s.upTo = s.known, m.log().Seq()
		}
		s.total += heard
		m.ask(now)
	}
	return s.total >= m.starveAfter() && s.total >= m.starveAfter()*2/3+s.explained()
}

// explained is for how long a slow link explains that what others brought did not come;
// if nobody did it may be a record of the longest.
func (s *starved) explained() time.Duration {
	size := s.others
	if size == 0 {
		size = wire.MaxRecord
	}
	return time.Duration(size) * time.Second / slowLink
}

// ask asks others for what the hub does not bring: its shadow, which has all, and in
// turn all who may have it.
func (m *Member) ask(now time.Time) {
	s := &m.starved
	if s.total < m.starveAfter() || now.Sub(s.asked) < askOthers {
		return
	}
	s.asked = now
	others := []protocols.Key{m.hub.Shadow}
	for k := range m.cfg.Ledger.Fold().Hearers() {
		if k != m.cfg.Self && k != m.hub.Primary && k != m.hub.Shadow {
			others = append(others, k)
		}
	}
	s.from = s.from[:0]
	for i := range min(askedAtOnce, len(others)) {
		s.from = append(s.from, others[(s.asks*askedAtOnce+i)%len(others)])
	}
	from := m.askFrom()
	hash, _ := m.log().HashAt(from)
	for _, k := range s.from {
		m.send(k, &wire.Sync{Group: m.cfg.Group, From: from, Log: hash})
	}
	s.asks++
}

// askFrom is the place behind which others are asked for the log: its end, and if
// nobody knows that, each time twice as far back.
func (m *Member) askFrom() wire.Seq {
	base, _ := m.log().Base()
	back := wire.Seq(0)
	if n := m.starved.asks - askStraight; n >= 0 {
		back = 1 << min(n, 32)
	}
	return max(m.log().Seq(), base.Seq+back) - back
}

// OnBrought takes a page of the hub's log from another, if that was asked.
func (m *Member) OnBrought(now time.Time, from protocols.Key, f *wire.Records) error {
	s := &m.starved
	if len(f.Entries) == 0 || f.First == 0 || !slices.Contains(s.from, from) {
		return nil
	}
	head, err := m.readHead(f)
	if err != nil {
		return err
	}
	if head.Term != m.hub.Term || head.Primary != m.hub.Primary || !m.log().Has(f.First-1, f.Before) {
		return nil // it follows another by now, or this log is another
	}
	m.OnHead(head)
	if m.log().Has(head.Seq, head.Log) { // another was sooner
		return nil
	}
	page, err := m.readPage(f, head)
	if err != nil || !m.rooted(f.Before, page) {
		return err
	}
	m.takePage(now, head, page)
	s.asks = 0
	s.others += sizeOf(f)
	return nil
}

// sizeOf is how many bytes of entries a page has.
func sizeOf(f *wire.Records) (n int) {
	for _, e := range f.Entries {
		n += len(e)
	}
	return n
}

// Page returns what stands behind a place of the log, as far as a head covers it that
// the hub has signed in its present term; nil if the log is another there, or nothing is.
func (m *Member) Page(from wire.Seq, hash wire.LogHash) *wire.Records {
	if !m.log().Has(from, hash) || m.head == nil {
		return nil
	}
	var covering *wire.Head
	last := m.log().Within(from, m.log().Seq(), journal.PageBytes)
	consider := func(h *wire.Head) {
		if h.Seq > from && h.Seq <= last && (covering == nil || h.Seq > covering.Seq) && m.log().Has(h.Seq, h.Log) {
			covering = h
		}
	}
	consider(m.head)
	for _, h := range m.heads {
		consider(h)
	}
	if covering == nil {
		return nil
	}
	f, _, ok := m.log().Page(m.cfg.Group, from, covering.Seq)
	if !ok {
		return nil
	}
	f.Head = covering.Bytes()
	return f.FanOut()
}
