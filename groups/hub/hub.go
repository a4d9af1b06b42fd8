package hub

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Bounds of a hub.
const (
	maxQueue   = 4096     // records while the hub is closed
	queueBytes = 16 << 20 // same, in bytes
	busyRetry  = 1000     // ms, told to those that find the queue full
	maxAnswer  = 512      // records in one Accepted
)

// How often a member gets a snapshot: one that attaches, and one that asks.
const (
	showAgain = 5 * time.Second
	showAsked = time.Second
)

// Config is what a hub is made with.
type Config struct {
	Group    wire.GroupID
	Charter  []byte
	Signer   protocols.Signer
	Verifier wire.Verifier
	Ledger   *ledger.Ledger
	Term     wire.Term
	Beat     time.Duration
	Limits   Limits
}

// View is what failover knows at a moment.
type View struct {
	Open   bool
	Shadow protocols.Key // zero: none
	Silent bool          // the shadow is, or there is none
}

// Send asks for a frame to be sent.
type Send struct {
	To    protocols.Key
	Frame wire.Frame
}

// Accepted is a record of this node's own that it accepted.
type Accepted struct {
	Name     wire.RecordName
	Place    wire.Place
	Replicas uint64
}

// Refusal is a record of this node's own that it refused.
type Refusal struct {
	Name   wire.RecordName
	Reason envelope.Reason
	Value  uint64
}

// Ready is what the hub wants done. The ledger is saved first.
type Ready struct {
	Send     []Send
	Accepted []Accepted
	Refused  []Refusal
	Receipts [][]byte     // of others, for this node
	Busy     []*wire.Busy // of this node's own
}

// cursor is how far a member is.
type cursor struct {
	sent   wire.Seq
	acked  wire.Seq
	lost   bool      // its log is another than ours: it has to go back
	hungry bool      // it lacks something, and there is room for it again
	resent time.Time // to the shadow, what it did not acknowledge
	shown  time.Time // a snapshot
	ask    time.Time // not before may it ask for all receipts
	spent  time.Time // until when the pages that it got are paid for
	flight flight
}

// at puts the cursor to a place that the member says it holds.
func (c *cursor) at(s wire.Seq) {
	c.sent, c.acked, c.flight = s, s, flight{room: c.flight.room, moved: c.flight.moved}
}

// waiting is a record that is in the log and not accepted yet.
type waiting struct {
	name wire.RecordName
	from []protocols.Key
	seq  wire.Seq
	at   time.Time
}

type queued struct {
	from  protocols.Key
	entry *wire.Entry
}

// Hub sequences one term. It is not safe for concurrent use.
type Hub struct {
	cfg      Config
	self     protocols.Key
	view     View
	cursors  map[protocols.Key]*cursor
	waiting  []waiting
	queue    []queued
	queued   int // bytes
	head     []byte
	headSeq  wire.Seq
	headAge  wire.Millis // when it was signed
	clock    wire.Millis
	passing  passing
	allowed  map[protocols.Key]*allowance
	all      time.Time // until when what all brought is paid for
	pages    pages
	paged    wire.Millis // when one was made last
	fed      feedState   // what feedAll saw last
	hungry   bool        // a cursor is, since then
	gathered time.Time   // when the first for whom something is gathered is to get it; zero: nobody
	ready    Ready
}

// New begins a term.
func New(cfg Config) *Hub {
	cfg.Limits = cfg.Limits.withDefaults()
	return &Hub{cfg: cfg, self: cfg.Signer.Public(), cursors: make(map[protocols.Key]*cursor)}
}

// Feed sends members what they lack, and passes receipts on, when all inputs that
// came together are taken in: they go out together.
func (h *Hub) Feed(now time.Time) {
	h.feedAll(now)
	h.pass(now)
}

// Ready hands over what the inputs since the last call led to.
func (h *Hub) Ready() Ready {
	r := h.ready
	h.ready = Ready{}
	return r
}

func (h *Hub) send(to protocols.Key, f wire.Frame) {
	h.ready.Send = append(h.ready.Send, Send{To: to, Frame: f})
}

func (h *Hub) log() *journal.Journal { return h.cfg.Ledger.Log() }

// Committed returns the seq up to which everything is accepted.
func (h *Hub) Committed() wire.Seq {
	if len(h.waiting) > 0 {
		return h.waiting[0].seq - 1
	}
	return h.log().Seq()
}

// Oldest returns since when the oldest record waits for the shadow; zero if none
// does.
func (h *Hub) Oldest() time.Time {
	if len(h.waiting) == 0 || !h.view.Open {
		return time.Time{}
	}
	return h.waiting[0].at
}

// Attach takes a member that follows this hub, at a place of its log.
func (h *Hub) Attach(now time.Time, k protocols.Key, last wire.Seq, hash wire.LogHash) {
	c := h.cursors[k]
	if c == nil {
		c = new(cursor)
		h.cursors[k] = c
	}
	c.flight.landed(now, last)
	if c.flight.stands(now, flightLost) {
		c.flight.less()
	}
	if c.lost || last < c.acked || !h.log().Has(last, hash) || !c.flight.goesOn(now, last) {
		h.begin(now, k, c, last, hash, 0)
	}
}

// begin sends a member the log from a place on, which it may have asked for with a
// number.
func (h *Hub) begin(now time.Time, k protocols.Key, c *cursor, last wire.Seq, hash wire.LogHash, n uint64) {
	if c.lost = !h.log().Has(last, hash); c.lost {
		h.findPlace(now, k, c, last, n)
		return
	}
	c.at(last)
	h.flush(now)
	h.feed(now, k, c)
}

// findPlace helps a member whose log is another. One whose place is forgotten here
// gets the snapshot that the log begins with, and all that follows.
func (h *Hub) findPlace(now time.Time, k protocols.Key, c *cursor, last wire.Seq, n uint64) {
	base, before := h.log().Base()
	e, ok := h.log().At(base.Seq + 1)
	switch {
	case base.Seq == 0 || last > base.Seq || !ok:
		h.sendBack(k, last)
		return
	case now.Sub(c.shown) < showAsked, n == 0 && now.Sub(c.shown) < showAgain:
		return
	}
	h.send(k, &wire.SnapshotFrame{
		N: n, Group: h.cfg.Group, Charter: h.cfg.Charter, Hubs: [][]byte{}, Entry: e.Raw, Place: e.Place, Before: before, Head: h.signHead(e.Place.Seq),
	})
	c.lost, c.shown = false, now
	c.at(e.Place.Seq)
	c.acked = 0
	h.feed(now, k, c)
}

// sendBack tells a member that its log is another, and where it may look next
// for the last place that both have.
func (h *Hub) sendBack(k protocols.Key, last wire.Seq) {
	to := min(max(last, 1)-1, h.log().Seq())
	h.send(k, &wire.Refused{Group: h.cfg.Group, Reason: envelope.ReasonConflict, Value: uint64(to)})
}

// Sync takes a member that looks for the last place where its log is ours. When
// it is found, pages follow, or there are none: then what the member has behind
// it is not of this log.
func (h *Hub) Sync(now time.Time, k protocols.Key, f *wire.Sync) {
	c := h.cursors[k]
	if c == nil {
		return
	}
	if h.log().Has(f.From, f.Log) {
		h.send(k, &wire.PageEnd{N: f.N, Group: h.cfg.Group, More: f.From < h.end(k)})
	}
	h.begin(now, k, c, f.From, f.Log, f.N)
}

// Replicated takes a member's word that it holds the log up to a place.
func (h *Hub) Replicated(now time.Time, k protocols.Key, seq wire.Seq, hash wire.LogHash) {
	c := h.cursors[k]
	if c == nil || !h.log().Has(seq, hash) || seq < c.acked {
		return
	}
	c.acked, c.lost = seq, false
	c.sent = max(c.sent, seq)
	c.flight.landed(now, seq)
	h.flush(now)
	if c.sent < h.end(k) { // too much was under way
		c.hungry, h.hungry = true, true
	}
}

// Publish takes records of a member, or what one offers that the log lacks.
func (h *Hub) Publish(now time.Time, from protocols.Key, entries []*wire.Entry) {
	for _, e := range entries {
		if h.view.Open {
			h.sequence(now, from, e)
			continue
		}
		size := len(e.Record.Bytes())
		switch {
		case slices.ContainsFunc(h.queue, func(q queued) bool { return q.from == from && q.entry.Record.Name() == e.Record.Name() }):
		case len(h.queue) >= maxQueue || h.queued+size > queueBytes:
			h.Busy(from, e.Record.ID, busyRetry)
		default:
			h.queue, h.queued = append(h.queue, queued{from, e}), h.queued+size
		}
	}
	h.flush(now)
}

// sequence gives a record its place, unless it has one or has no business here.
func (h *Hub) sequence(now time.Time, from protocols.Key, e *wire.Entry) {
	name := e.Record.Name()
	if seq, ok := h.log().Find(name); ok {
		h.known(from, e, seq)
		return
	}
	if reason, value := h.judge(now, e); reason != 0 {
		h.refuse(from, e.Record, reason, value)
		return
	}
	if e.Old == nil && e.Record.Kind == wire.KindMessage && h.full() {
		h.Busy(from, e.Record.ID, tailRetry)
		return
	}
	if e.Old != nil {
		h.checkOld(e)
	}
	p := wire.Place{Number: h.cfg.Term.Number, Primary: h.self, Seq: h.log().Seq() + 1}
	if _, err := h.cfg.Ledger.Append(p, e.Bytes(), e); err != nil {
		return
	}
	h.waiting = append(h.waiting, waiting{name: name, from: []protocols.Key{from}, seq: p.Seq, at: now})
}

// known answers for a record that is in the log.
func (h *Hub) known(from protocols.Key, e *wire.Entry, seq wire.Seq) {
	held, _ := h.log().At(seq)
	if !held.Record.Same(e.Record) {
		h.refuse(from, e.Record, envelope.ReasonConflict, 0)
		return
	}
	for i := range h.waiting {
		if w := &h.waiting[i]; w.seq == seq {
			if !slices.Contains(w.from, from) && len(w.from) < 4 {
				w.from = append(w.from, from)
			}
			return
		}
	}
	h.accept(from, []wire.AcceptedRecord{{ID: e.Record.ID, Number: held.Place.Number, Seq: seq}}, h.replicas(seq))
}

// judge says why a record is refused, 0 if it is not. What was accepted before,
// in a log that this one lacks, is kept even if it is void.
func (h *Hub) judge(now time.Time, e *wire.Entry) (envelope.Reason, uint64) {
	r, at := e.Record, wire.Millis(now.UnixMilli())
	fold := h.cfg.Ledger.Fold()
	switch {
	case r.Group != h.cfg.Group:
		return envelope.ReasonPolicy, 0
	case r.Time > at+roster.Slack || r.Time+roster.Window < at:
		return envelope.ReasonClock, uint64(at)
	case e.Old != nil:
		return 0, 0
	}
	switch err := fold.Judge(r, false); err {
	case nil:
		return 0, 0
	case roster.ErrChain:
		return envelope.ReasonRoster, uint64(fold.Version())
	case roster.ErrStranger:
		return envelope.ReasonNotMember, 0
	default:
		return envelope.ReasonPolicy, 0
	}
}

// checkOld drops a head that does not cover the old place.
func (h *Hub) checkOld(e *wire.Entry) {
	if e.Old.Head == nil {
		return
	}
	old, err := wire.ParseHead(h.cfg.Verifier, e.Old.Head)
	if err != nil || old.Group != h.cfg.Group || old.Term.Number != e.Old.Number || old.Primary != e.Old.Primary || old.Seq < e.Old.Seq {
		o := *e.Old
		o.Head = nil
		e.Old = &o
	}
}

func (h *Hub) refuse(to protocols.Key, r *wire.Record, reason envelope.Reason, value uint64) {
	if to == h.self {
		h.ready.Refused = append(h.ready.Refused, Refusal{Name: r.Name(), Reason: reason, Value: value})
		return
	}
	h.send(to, &wire.Refused{Group: h.cfg.Group, Record: r.ID, Reason: reason, Value: value})
}

// replicas counts the stores that are known to hold the log up to a seq.
func (h *Hub) replicas(seq wire.Seq) uint64 {
	n := uint64(1)
	if c := h.cursors[h.view.Shadow]; c != nil && c.acked >= seq {
		n++
	}
	return n
}

func (h *Hub) accept(to protocols.Key, list []wire.AcceptedRecord, replicas uint64) {
	if to != h.self {
		h.send(to, &wire.Accepted{Group: h.cfg.Group, Records: list, Replicas: replicas})
		return
	}
	for _, a := range list {
		h.ready.Accepted = append(h.ready.Accepted, Accepted{
			Name:  wire.RecordName{Author: h.self, ID: a.ID},
			Place: wire.Place{Number: a.Number, Primary: h.self, Seq: a.Seq}, Replicas: replicas,
		})
	}
}

// Step takes what failover says now, and does what has become due.
func (h *Hub) Step(now time.Time, v View) {
	h.view = v
	if v.Open && len(h.queue) > 0 {
		q := h.queue
		h.queue, h.queued = nil, 0
		for _, x := range q {
			h.sequence(now, x.from, x.entry)
		}
	}
	h.flush(now)
	h.resend(now)
	h.forgetPages()
}

// flush accepts what the shadow has, or what waits for no shadow.
func (h *Hub) flush(now time.Time) {
	if !h.view.Open || len(h.waiting) == 0 {
		return
	}
	acked := wire.Seq(0)
	if c := h.cursors[h.view.Shadow]; c != nil {
		acked = c.acked
	}
	n := 0
	for n < len(h.waiting) && (h.waiting[n].seq <= acked || h.view.Silent) {
		n++
	}
	if n == 0 {
		return
	}
	done := h.waiting[:n]
	h.waiting = slices.Clone(h.waiting[n:])
	h.answer(done)
}

// answer says Accepted to those the records came from, in as few frames as may
// be.
func (h *Hub) answer(done []waiting) {
	lists := make(map[protocols.Key][]wire.AcceptedRecord)
	var order []protocols.Key
	for _, w := range done {
		for _, k := range w.from {
			if lists[k] == nil {
				order = append(order, k)
			}
			lists[k] = append(lists[k], wire.AcceptedRecord{ID: w.name.ID, Number: h.cfg.Term.Number, Seq: w.seq})
		}
	}
	replicas := h.replicas(done[len(done)-1].seq)
	for _, k := range order {
		for list := range slices.Chunk(lists[k], maxAnswer) {
			h.accept(k, list, replicas)
		}
	}
}

// headAt returns a head for a seq. The newest is kept: all members get the same.
func (h *Hub) headAt(s wire.Seq) []byte {
	if h.head != nil && h.headSeq == s && h.clock < h.headAge+headLife {
		return h.head
	}
	h.head, h.headSeq, h.headAge = h.signHead(s), s, h.clock
	return h.head
}

func (h *Hub) signHead(s wire.Seq) []byte {
	hash, _ := h.log().HashAt(s)
	return wire.Head{Group: h.cfg.Group, Term: h.cfg.Term, Seq: s, Log: hash, Time: h.clock}.Sign(h.cfg.Signer)
}

// Head returns the newest head that was signed, nil for none.
func (h *Hub) Head() []byte { return h.head }

// Clock says what time the hub's heads bear. It never runs backward.
func (h *Hub) Clock(now time.Time) { h.clock = max(h.clock, wire.Millis(now.UnixMilli())) }

// resend gives the shadow again what it did not acknowledge.
func (h *Hub) resend(now time.Time) {
	c := h.cursors[h.view.Shadow]
	if c == nil || c.lost || c.acked >= h.log().Seq() || now.Sub(c.resent) < h.cfg.Beat {
		return
	}
	if !c.resent.IsZero() {
		c.at(c.acked)
		h.feed(now, h.view.Shadow, c)
	}
	c.resent = now
}
