package member

import (
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Waits of a member, in tenths of the interval between two beats.
const (
	againTenths  = 10 // between two tries to publish
	ownTenths    = 1  // from following a hub to publishing to it
	allTenths    = 15 // from following a hub to offering what others wrote
	gapTenths    = 4  // between two attaches because of a gap
	behindTenths = 10 // how long a beat may name a seq that is not here
)

// longestOwn is how long the first of them is at most.
const longestOwn = 20 * time.Millisecond

// Bounds of a member.
const (
	maxBatch     = 256 // records in one Publish
	maxOwn       = 4096
	batchBytes   = 128 << 10
	shadowAfter  = 5 * time.Second // unanswered, a record goes to the shadow too
	maxHeads     = 512             // of a term, to compare with those of others
	maxFromPeers = 1024            // records that a shadow holds for others
)

// catchUp is how long a log that was cut may take to be as long as before.
const catchUp = 10 * time.Second

// Life is how long a record is held.
const Life = 24 * time.Hour

// Config is what a member is made with.
type Config struct {
	Group    wire.GroupID
	Self     protocols.Key
	Signer   protocols.Signer // of receipts
	Verifier wire.Verifier
	Prover   wire.Prover
	Ledger   *ledger.Ledger
	Beat     time.Duration
	Root     *Root         // nil: the log is known to be the group's
	Lister   protocols.Key // of a relay that is no member: the admin by whose word it follows the log; zero: none
}

// Hub is whom the member follows.
type Hub struct {
	Term    wire.Term
	Primary protocols.Key
	Shadow  protocols.Key
	Leads   bool // the member itself does
}

// EventKind is what happened.
type EventKind uint8

// What may happen.
const (
	Arrived   EventKind = iota // a record stands in the log that did not before, at Place
	Accepted                   // an own record does, by its hub's word
	Refused                    // an own record never will; Reason, Value
	Moved                      // Count records have another place than they had
	Forked                     // the hub signed two logs; Proof
	Receipted                  // members are said to have acknowledged; Receipts, which are not verified
	Delayed                    // an own record is to come again in Value ms
	Removed                    // the hub says that this node is no member any more
	Expelled                   // an admin's kick of this node was brought past the log; Record
	Rooted                     // the log is the one that the invite spoke of
	Shortened                  // the log was cut off; Cut
	Withheld                   // Peer, the hub, neither takes nor refuses the record Name; with none, brings nothing of its log
	Turned                     // Peer, who is no member, was refused or not heard by the hub on this node; Reason
	Unrooted                   // Peer, the hub, shows another than the invite spoke of, or a roster older than the one known
	Mistimed                   // Peer, the hub, dates what it signs otherwise than it may; Err
)

// Event is what a person, or the other machines, want to know.
type Event struct {
	Kind     EventKind
	Deaf     bool         // Withheld: it answers nothing, and may not hear this node
	Undue    bool         // Arrived: the hub that this node follows took it, and had to refuse it
	Record   *wire.Record // Arrived, Expelled
	Name     wire.RecordName
	Place    wire.Place
	Err      error // Arrived: why it has no effect; Mistimed: how; Refused: why, if it is for its day that is over
	Replicas uint64
	Reason   envelope.Reason
	Value    uint64
	Count    int
	Cut      *Cut
	Peer     protocols.Key
	Receipts []*wire.Receipt
	Proof    *wire.Equivocation
}

// errExpired says of a record of this node that its day is over. A hub that took it may
// have purged it since.
var errExpired = errors.New("no hub is known to have taken it within a day")

// Cut is what was cut off a log: what stood behind From, in the terms whose Number
// and Primary are in Terms.
type Cut struct {
	From  wire.Seq
	Terms []wire.Place
}

// cutOf is the cut of those entries behind a seq.
func cutOf(from wire.Seq, entries []journal.Entry) *Cut {
	c := &Cut{From: from}
	for _, e := range entries {
		p := wire.Place{Number: e.Place.Number, Primary: e.Place.Primary}
		if n := len(c.Terms); n == 0 || c.Terms[n-1] != p {
			c.Terms = append(c.Terms, p)
		}
	}
	return c
}

// Send asks for a frame to be sent.
type Send struct {
	To    protocols.Key
	Frame wire.Frame
}

// Ready is what the member wants done. The ledger, and what is kept, are saved
// first.
type Ready struct {
	Send    []Send
	Offer   []*wire.Entry // to the hub on this node
	Receipt []byte        // same
	Attach  bool          // the hub is to be told where the log stands
	Events  []Event
}

// own is a record of this node's.
type own struct {
	record  *wire.Record
	written time.Time
	sent    time.Time
	tries   int       // to the present hub, and it was heard since
	told    time.Time // when it said to come again
	past    bool      // its life is over, and the hub is asked what became of it
}

// held is a record that was in a log, or is to come into one.
type held struct {
	record *wire.Record
	old    *wire.Old // where it stood first, nil for nowhere yet
	since  time.Time
	shown  bool // told of as what stands in the log
}

// Member follows a log. It is not safe for concurrent use.
type Member struct {
	cfg      Config
	hub      Hub
	followed time.Time
	chain    bool // was hub or shadow before the present term
	own      owns
	kept     kept
	held     map[wire.RecordName]*held
	receipts receipts
	heard    time.Time                     // when the hub was, last
	brought  map[wire.RecordName]broughtBy // by their authors, for the hub withholds them
	looked   time.Time                     // whether the hub withholds anything
	awake    time.Time                     // since when it looks, and hears the hub, regularly
	lacking  bool
	removed  bool // by the hub's word
	rejoins  int  // how often it brought this hub its join, that says that it is no member
	offered  time.Time
	attached time.Time
	behind   time.Time
	grew     bool     // the log has, and the hub was not told
	back     wire.Seq // how far the next step back goes
	syncs    uint64   // places that were asked for
	synced   uint64   // the last of them that was found
	syncFrom wire.Seq // the place last asked for
	refill   wire.Seq // how long the log was before it was cut
	cutAt    time.Time
	head     *wire.Head
	heads    map[wire.Seq]*wire.Head // of the present term
	oldHead  *wire.Head
	times    times
	starved  starved
	question question
	ready    Ready
}

// New makes a member with the log it holds.
func New(now time.Time, cfg Config, h Hub) *Member {
	m := &Member{
		cfg: cfg, hub: h, followed: now, held: make(map[wire.RecordName]*held), heads: make(map[wire.Seq]*wire.Head), back: 1, lacking: true, kept: newKept(), brought: make(map[wire.RecordName]broughtBy),
	}
	again := Repeat{First: firstAgain, Last: lastAgain}
	m.receipts.own, m.receipts.ask = again, again
	cfg.Ledger.Log().All(func(e journal.Entry) {
		m.hold(now, e.Record, oldOf(e, nil)).shown = true
		if e.Record.Author == cfg.Self {
			m.ownStands(now, e)
		}
	})
	m.checkRoot()
	return m
}

// Ready hands over what the inputs since the last call led to.
func (m *Member) Ready() Ready {
	r := m.ready
	m.ready = Ready{}
	return r
}

func (m *Member) send(to protocols.Key, f wire.Frame) {
	if to != m.cfg.Self && to != (protocols.Key{}) {
		m.ready.Send = append(m.ready.Send, Send{To: to, Frame: f})
	}
}

func (m *Member) log() *journal.Journal { return m.cfg.Ledger.Log() }

func (m *Member) tenths(n int) time.Duration { return m.cfg.Beat * time.Duration(n) / 10 }

// ownWait is how long after following a hub this node publishes to it.
func (m *Member) ownWait() time.Duration { return min(m.tenths(ownTenths), longestOwn) }

// hold keeps a record, and where it stood first.
func (m *Member) hold(now time.Time, r *wire.Record, old *wire.Old) *held {
	name := r.Name()
	h := m.held[name]
	if h == nil {
		h = &held{record: r, since: earlier(now, r)}
		m.held[name] = h
	}
	if h.old == nil && old != nil || old != nil && h.old.Head == nil && old.Head != nil && h.old.Place == old.Place {
		h.old = old
		if m.kept.lack[name] != nil {
			m.kept.touch(name)
		}
	}
	if _, ok := m.log().Find(name); !ok && m.kept.lack[name] == nil {
		m.kept.lack[name] = h
		m.kept.touch(name)
	}
	return h
}

// oldOf returns where an entry stood first, with a head that covers it there.
func oldOf(e journal.Entry, heads []*wire.Head) *wire.Old {
	if e.Old != nil {
		return e.Old
	}
	old := &wire.Old{Place: e.Place}
	for _, h := range heads {
		if h != nil && h.Term.Number == e.Place.Number && h.Primary == e.Place.Primary && h.Seq >= e.Place.Seq {
			old.Head = h.Bytes()
		}
	}
	return old
}

// Write takes records of this node, as many as there is room for, and says how
// many. They are published, when they are on disk, until they stand in the log.
func (m *Member) Write(now time.Time, records ...*wire.Record) int {
	records = records[:max(0, min(len(records), maxOwn-len(m.own.of)))]
	entries := make([]*wire.Entry, len(records))
	for i, r := range records {
		m.own.add(&own{record: r, written: now, sent: now}, now.Add(m.tenths(againTenths)))
		m.hold(now, r, nil)
		entries[i] = &wire.Entry{Record: r}
	}
	if len(entries) > 0 {
		m.publish(entries)
	}
	return len(records)
}

// Unanswered returns how many of them are still to stand there.
func (m *Member) Unanswered() int { return len(m.own.of) }

// publish sends records to the hub, wherever it is.
func (m *Member) publish(entries []*wire.Entry) {
	if m.hub.Leads {
		m.ready.Offer = append(m.ready.Offer, entries...)
		return
	}
	m.publishTo(m.hub.Primary, entries)
}

func (m *Member) publishTo(to protocols.Key, entries []*wire.Entry) {
	f, size := &wire.Publish{Group: m.cfg.Group}, 0
	for _, e := range entries {
		b := e.Record.Bytes()
		if e.Old != nil {
			b = e.Append(nil)
		}
		if size+len(b) > batchBytes && size > 0 || len(f.Records) == maxBatch {
			m.send(to, f)
			f, size = &wire.Publish{Group: m.cfg.Group}, 0
		}
		f.Records, size = append(f.Records, b), size+len(b)
	}
	if len(f.Records) > 0 {
		m.send(to, f)
	}
}

// Follow says whom the member follows from now on. chain says that it was hub or
// shadow in the term before.
func (m *Member) Follow(now time.Time, h Hub, chain bool) {
	same := h.Term == m.hub.Term
	m.hub = h
	if same {
		return
	}
	m.followed, m.chain, m.lacking, m.removed, m.rejoins = now, chain, true, false, 0
	m.back, m.behind, m.offered, m.grew = 1, time.Time{}, time.Time{}, false
	m.acknowledgeSoon(now)
	if m.receipts.asked != 0 { // of another log, or passed on before this node was there
		m.receipts.ask.Begin(now.Add(firstAgain))
	}
	clear(m.heads)
	m.times, m.starved = times{}, starved{}
	if m.head != nil {
		m.oldHead, m.head = m.head, nil
	}
	for _, o := range m.own.list {
		o.sent, o.tries = time.Time{}, 0
	}
	m.own.due, m.own.put = now, putOff{}
}

// Tick does what has become due.
func (m *Member) Tick(now time.Time) {
	if m.removed {
		return
	}
	m.sendReceipt(now)
	m.askReceipts(now)
	if now.Sub(m.followed) < m.ownWait() {
		return
	}
	m.publishOwn(now)
	m.offerAll(now)
	if !m.behind.IsZero() && now.Sub(m.behind) >= m.tenths(behindTenths) {
		m.behind = time.Time{}
		m.gap(now)
	}
}

// publishOwn publishes again what was not accepted.
func (m *Member) publishOwn(now time.Time) {
	if now.Before(m.own.due) {
		return
	}
	var due, late []*wire.Entry
	m.own.due = now.Add(m.tenths(againTenths))
	for _, o := range m.own.open() {
		next := o.sent.Add(m.tenths(againTenths))
		switch {
		case m.expired(now, o):
			m.OwnRefused(o.record.Name(), envelope.ReasonClock, uint64(now.UnixMilli()))
			continue
		case next.After(now):
			m.own.due = sooner(m.own.due, next)
			continue
		case len(due) == maxBatch:
			m.own.due = now
			continue
		}
		if m.heard.After(o.sent) && !o.sent.IsZero() {
			o.tries++
		}
		o.sent = now
		e := &wire.Entry{Record: o.record, Old: m.oldPlace(o.record)}
		due = append(due, e)
		if now.Sub(o.written) > shadowAfter && !m.hub.Leads {
			late = append(late, e)
		}
	}
	if len(due) > 0 {
		m.publish(due)
	}
	if len(late) > 0 {
		m.bringPast(late)
	}
}

// expired says whether the life of a record is over and no hub has taken it. One may
// have, and this node, asleep or cut off since, not have heard of it: the hub, which
// knows that, or else refuses it for its time, is asked as for any other, and has to
// leave it unanswered.
func (m *Member) expired(now time.Time, o *own) bool {
	if !o.past && now.Sub(o.written) > Life {
		o.past, o.tries = true, 0
	}
	return o.past && o.tries >= withheldTries && !m.lacks()
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (m *Member) oldPlace(r *wire.Record) *wire.Old {
	if h := m.held[r.Name()]; h != nil {
		return h.old
	}
	return nil
}

// offerAll offers the hub what its log lacks.
func (m *Member) offerAll(now time.Time) {
	if !m.lacking || now.Sub(m.followed) < m.offerWait() || now.Sub(m.offered) < m.tenths(againTenths) {
		return
	}
	m.offeredBrought(m.offered)
	m.offered = now
	var entries []*wire.Entry
	for _, h := range m.missing() {
		if _, ok := m.log().Find(h.record.Name()); ok {
			continue
		}
		if h.old != nil || h.record.Author != m.cfg.Self {
			entries = append(entries, &wire.Entry{Record: h.record, Old: h.old})
		}
	}
	if m.lacking = len(entries) > 0; m.lacking {
		m.publish(entries)
	}
}

// missing returns what is held and not in the log, in its old order.
func (m *Member) missing() []*held {
	list := make([]*held, 0, len(m.kept.lack))
	for _, h := range m.kept.lack {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b *held) int {
		if c := compareOld(a.old, b.old); c != 0 {
			return c
		}
		if c := slices.Compare(a.record.Author[:], b.record.Author[:]); c != 0 {
			return c
		}
		return slices.Compare(a.record.ID[:], b.record.ID[:])
	})
	return list
}

func compareOld(a, b *wire.Old) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case a.Number != b.Number:
		return compare(a.Number, b.Number)
	default:
		return compare(a.Seq, b.Seq)
	}
}

func compare[T ~uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Deadline is when Tick wants to be called next, zero for never.
func (m *Member) Deadline() (due time.Time) {
	if m.removed {
		return due
	}
	earliest := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	if m.lacking {
		earliest(later(m.followed.Add(m.offerWait()), m.offered.Add(m.tenths(againTenths))))
	}
	if !m.behind.IsZero() {
		earliest(m.behind.Add(m.tenths(behindTenths)))
	}
	if len(m.own.of) > 0 {
		earliest(m.own.due)
	}
	if !due.IsZero() {
		due = later(due, m.followed.Add(m.ownWait()))
	}
	if !m.hub.Leads && m.lacks() {
		earliest(later(m.starved.looked, m.followed).Add(time.Second))
	}
	for _, r := range []Repeat{m.receipts.own, m.receipts.ask} {
		if !r.due.IsZero() {
			earliest(r.due)
		}
	}
	return due
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// offerWait is how long after following a hub it is offered what its log lacks:
// by who was in the chain at once, by all others a little later.
func (m *Member) offerWait() time.Duration {
	if m.chain {
		return m.ownWait()
	}
	return m.tenths(allTenths)
}

// OnPublish takes records of another member: to the shadow, because the hub did
// not answer. It brings them to the hub as what the log lacks.
func (m *Member) OnPublish(now time.Time, entries []*wire.Entry) {
	for _, e := range entries {
		name := e.Record.Name()
		_, inLog := m.log().Find(name)
		if inLog || m.held[name] != nil || len(m.brought) >= maxFromPeers || !m.cfg.Ledger.Fold().Member(e.Record.Author) {
			continue
		}
		m.hold(now, e.Record, e.Old)
		m.brought[name] = broughtBy{since: now}
		m.lacking = true
	}
}

// OnAccepted takes the hub's word for records of this node.
func (m *Member) OnAccepted(f *wire.Accepted) {
	for _, a := range f.Records {
		m.starved.knows(a.Seq)
		m.accepted(wire.RecordName{Author: m.cfg.Self, ID: a.ID}, wire.Place{Number: a.Number, Primary: m.hub.Primary, Seq: a.Seq}, f.Replicas)
	}
}

// OwnAccepted takes the word of the hub on this node.
func (m *Member) OwnAccepted(name wire.RecordName, p wire.Place, replicas uint64) {
	m.accepted(name, p, replicas)
}

func (m *Member) accepted(name wire.RecordName, p wire.Place, replicas uint64) {
	o := m.own.find(name)
	if o == nil {
		return
	}
	m.own.remove(o)
	m.kept.touch(name)
	m.placed(name, p)
	m.ready.Events = append(m.ready.Events, Event{Kind: Accepted, Name: name, Place: p, Replicas: replicas})
}

// placed notes where a record stands by its hub's word. Should the log turn out
// to lack it, this node offers it as what had a place.
func (m *Member) placed(name wire.RecordName, p wire.Place) {
	if h := m.held[name]; h != nil && h.old == nil {
		h.old = &wire.Old{Place: p}
	}
}

// OnRefused takes the hub's refusal: of a record of this node, or of the place at
// which its log is said to end.
func (m *Member) OnRefused(now time.Time, f *wire.Refused) {
	if f.Record == (wire.RecordID{}) && f.Reason == envelope.ReasonConflict {
		m.goBack(wire.Seq(f.Value))
		return
	}
	if f.Record == (wire.RecordID{}) {
		if f.Reason == envelope.ReasonNotMember && !m.removed && !m.joining() && !m.joinAgain() {
			m.removed = true
			m.ready.Events = append(m.ready.Events, Event{Kind: Removed})
		}
		return
	}
	name := wire.RecordName{Author: m.cfg.Self, ID: f.Record}
	if o := m.own.find(name); o != nil {
		o.told = now
	}
	m.othersRefused(now, f)
	m.OwnRefused(name, f.Reason, f.Value)
}

// joining says whether this node's join is on its way: then a hub that does not
// know it has not seen it.
func (m *Member) joining() bool {
	return slices.ContainsFunc(m.own.open(), func(o *own) bool { return o.record.Kind == wire.KindJoin })
}

// joinAgain brings the hub the record by which this node is in the group, if it is by its
// own log: who let it in may be gone, and it the only one that has it.
func (m *Member) joinAgain() bool {
	me, in := m.cfg.Ledger.Fold().Of(m.cfg.Self)
	at, ok := m.log().Find(wire.RecordName{Author: m.cfg.Self, ID: me.Admission})
	e, _ := m.log().At(at)
	if !in || !ok || m.rejoins >= maxRejoins {
		return false
	}
	m.rejoins++
	m.publish([]*wire.Entry{{Record: e.Record}})
	return true
}

// maxRejoins is how often it does so in a term: what it sends may be lost.
const maxRejoins = 3

// longestBusy is how long a hub can have this node wait.
const longestBusy = 2 * time.Minute

// OnBusy takes the hub's word that a record of this node is to come again later.
func (m *Member) OnBusy(now time.Time, f *wire.Busy) {
	wait := min(time.Duration(min(f.Retry, 1<<32))*time.Millisecond, longestBusy)
	m.othersPutOff(f.Record, now.Add(wait))
	o := m.own.find(wire.RecordName{Author: m.cfg.Self, ID: f.Record})
	if o == nil {
		return
	}
	if !m.full(o.record.Kind) {
		m.own.put.times++
	}
	o.sent, o.told = now.Add(wait-m.tenths(againTenths)), now.Add(wait)
	m.ready.Events = append(m.ready.Events, Event{Kind: Delayed, Name: o.record.Name(), Value: uint64(wait.Milliseconds())})
}

// OwnRefused takes a refusal of a record of this node. What time may mend, or
// was accepted once, is tried again.
func (m *Member) OwnRefused(name wire.RecordName, reason envelope.Reason, value uint64) {
	if reason == envelope.ReasonNotMember || reason == envelope.ReasonQuota {
		return // a hub that has not heard of the join yet
	}
	o := m.own.find(name)
	if o == nil {
		return
	}
	m.own.remove(o)
	m.drop(name)
	e := Event{Kind: Refused, Name: name, Reason: reason, Value: value}
	if o.past && reason == envelope.ReasonClock {
		e.Err = errExpired
	}
	m.ready.Events = append(m.ready.Events, e)
}

// drop lets go of a record that is not in the log.
func (m *Member) drop(name wire.RecordName) {
	delete(m.held, name)
	delete(m.kept.lack, name)
	m.kept.touch(name)
}

// Forget drops what is older than a record's life and not in the log: what was to
// be offered to a hub, and what the log has forgotten.
func (m *Member) Forget(now time.Time) {
	for name, h := range m.held {
		if _, ok := m.log().Find(name); !ok && now.Sub(h.since) > Life && m.own.find(name) == nil {
			m.drop(name)
		}
	}
	for name := range m.brought {
		if m.kept.lack[name] == nil {
			delete(m.brought, name)
		}
	}
	base, _ := m.log().Base()
	for s := range m.receipts.waiting {
		if s <= base.Seq {
			delete(m.receipts.waiting, s)
		}
	}
}

// Holds says whether the member has a record that its log may lack.
func (m *Member) Holds(n wire.RecordName) bool { return m.held[n] != nil }
