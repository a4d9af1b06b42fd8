package groups

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tom-protocol/tom/groups/hub"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// room is one group on this node. Its goroutine owns all but what is said to be
// for others.
type room struct {
	s       *Service
	id      wire.GroupID
	charter *wire.Charter
	inbox   chan func(now time.Time)
	closed  chan struct{} // the goroutine has ended

	seat     *seat.Seat
	place    place
	keys     *keys
	unsaved  bool     // the place
	sealed   []sealed // own messages that are to be signed
	puts     []Row    // to go with the next save
	dels     [][]byte // same
	spare    spare    // same, but nothing is saved for these alone
	swept    time.Time
	unrooted time.Time // since when a hub shows another log than the invite spoke of; zero: it does not
	after    []func()  // to be called behind it

	sent     map[wire.RecordID]*sentRecord
	sentList []wire.RecordID    // the same, oldest first
	awaited  awaits             // those who wait for what becomes of them
	known    wire.RosterVersion // that the keys know
	refold   bool               // the roster may be another of the same version
	joined   wire.Seq           // where this node's join stands; 0: not in the log
	joinedIn wire.RosterVersion // one above the roster in which that was looked up
	told     chainOf            // the hub that was told of
	events   []Event            // to be told of behind the next save
	deeds    map[deed]*deeds
	declines map[protocols.Key]envelope.Reason // relays that do not serve this group, and why
	topic    topic
	heads    [][]byte // the last that came with chains and were good
	lanes    *lanes
	passing  passing
	wanted   wanted
	nodes    atomic.Pointer[map[protocols.Key]bool] // the members, for other goroutines
	news     chan struct{}                          // closed and replaced whenever something has changed
	changed  bool
	again    bool         // the seat has more to be done
	leaving  bool         // no member any more, and about to end
	alive    time.Time    // of a group that is served: when a member was last; zero: not since it began
	size     atomic.Int64 // bytes of the log, for other goroutines
	gone     bool         // has ended
	last     time.Time
	ticked   time.Time // when what was due was looked after last
}

// restore makes the room of a group that was found on disk.
func (s *Service) restore(st stored) (*room, error) {
	r := s.newRoom(st.charter, st.place)
	if err := r.keys.load(); err != nil {
		return nil, err
	}
	err := r.sit(st.disk, true)
	r.gone = err == nil && r.over()
	return r, err
}

// over says that this node had its part in the group and has it no more.
func (r *room) over() bool {
	l := r.seat.Ledger()
	_, departed := l.Departure(r.s.self)
	return l.Fold().Dissolved() || !r.takesPart() && (departed || r.place.Member)
}

// takesPart says that the roster has this node as what it has the seat as: a member,
// or a relay.
func (r *room) takesPart() bool {
	fold := r.seat.Ledger().Fold()
	if r.place.serves() {
		return fold.Relay(r.s.self)
	}
	return fold.Member(r.s.self)
}

func (s *Service) newRoom(c *wire.Charter, p place) *room {
	r := &room{
		s: s, id: c.Group(), charter: c, place: p,
		inbox: make(chan func(time.Time), maxInbox), closed: make(chan struct{}),
		sent: make(map[wire.RecordID]*sentRecord), news: make(chan struct{}),
	}
	r.keys = newKeys(r)
	r.deeds, r.lanes, r.spare = make(map[deed]*deeds), newLanes(), make(spare)
	return r
}

// sit takes the seat with what is on disk.
func (r *room) sit(d seat.Disk, restart bool) (err error) {
	root, err := r.place.root(r.s.cfg.Verifier)
	if err != nil {
		return err
	}
	r.seat, err = seat.New(r.s.cfg.Now(), seat.Config{
		Charter: r.charter, Signer: r.s.cfg.Signer, Verifier: r.s.cfg.Verifier, Prover: r.s.cfg.Prover, Root: root,
		Lister: r.place.Lister, Limits: r.limits(),
	}, d, restart)
	if err != nil {
		return err
	}
	r.seat.Ledger().Log().All(func(e entry) { r.recall(e.Record) })
	for _, k := range d.Kept {
		if rec, err := wire.ParseRecord(k.Record); err == nil && k.Own {
			r.recall(rec)
		}
	}
	r.last = r.s.cfg.Now() // what is opened now lives from now on
	h := r.seat.Branch().Record
	r.told = chainOf{h.Number, h.Primary, h.Shadow, h.Candidate}
	r.refold = true
	r.findJoin()
	r.know()
	r.seat.Read(r.s.cfg.Now(), r.place.Read)
	r.keys.await()
	r.events = nil // it was told before
	return nil
}

// limits are those for members while this node is hub.
func (r *room) limits() hub.Limits {
	if r.place.serves() {
		return servedLimits
	}
	return hub.Limits{}
}

// do has f called by the room's goroutine, and waits for it and for what it
// changed to be on disk.
func (r *room) do(ctx context.Context, f func(now time.Time)) error {
	done := make(chan struct{})
	return r.wait(ctx, done, func(now time.Time) { f(now); r.after = append(r.after, func() { close(done) }) })
}

// see is do for what changes nothing: f sees what has come before it opened and
// on disk.
func (r *room) see(ctx context.Context, f func(now time.Time)) error {
	done := make(chan struct{})
	return r.wait(ctx, done, func(now time.Time) {
		r.after = append(r.after, func() { f(now); close(done) })
	})
}

// wait hands f to the room's goroutine and waits for done.
func (r *room) wait(ctx context.Context, done <-chan struct{}, f func(now time.Time)) error {
	select {
	case r.inbox <- f:
	case <-r.closed:
		return ErrGone
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-r.closed:
		return ErrGone
	}
}

// post has f called by the room's goroutine, some time.
func (r *room) post(f func(now time.Time)) {
	select {
	case r.inbox <- f:
	case <-r.closed:
	}
}

// knows says whether a peer is one of the group's.
func (r *room) knows(k protocols.Key) bool {
	nodes := *r.nodes.Load()
	return nodes[k] || !nodes[r.s.self] // who has just joined knows nobody yet
}

// hears says whether a frame of a peer would be received.
func (r *room) hears(from protocols.Key) bool {
	if r.knows(from) || !r.lanes.spent(from) {
		return true
	}
	r.s.count.frameLeft()
	return false
}

// receive takes a frame of a peer.
func (r *room) receive(in Inbound, f wire.Frame) {
	r.enqueue(in.Peer(), weight(f), func(now time.Time) {
		if err := r.frame(now, in.Peer(), f); err != nil {
			logger.Debugw("frame refused", "group", r.id, "peer", in.Peer(), "err", err)
			r.s.count.frameRefused(err)
			r.forged(now, in.Peer(), err)
			in.Misbehaved(err)
		}
	})
}

// enqueue has f called by the room's goroutine for what a peer said, when it is that
// peer's turn; n is how many tokens of its lane that takes.
func (r *room) enqueue(from protocols.Key, n int, f func(now time.Time)) {
	lane := r.lanes.of(from, r.knows(from))
	if lane == nil {
		r.s.count.frameLeft()
		return
	}
	if !lane.enter(r.closed, n) {
		return
	}
	r.post(func(now time.Time) {
		defer lane.leave(n)
		f(now)
	})
}

// run is the room's goroutine. Inputs are taken in batches: one write to disk,
// then what they led to is sent.
func (r *room) run(ctx context.Context) {
	defer close(r.closed)
	r.follow()
	defer r.unfollow()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !r.gone {
		select {
		case <-ctx.Done():
			if err := r.end(); err != nil {
				logger.Errorw("chains of keys not written", "group", r.id, "err", err)
			}
			return
		case f := <-r.inbox:
			r.take(f)
		case <-timer.C:
			r.last = r.s.cfg.Now()
			r.ticked = r.last
			r.seat.Tick(r.last)
		}
		if err := r.act(); err != nil {
			logger.Errorw("group not written, and ended until the next start", "group", r.id, "err", err)
			return
		}
		timer.Reset(r.rest())
	}
	r.s.forget(r)
}

// take runs an input and those that wait behind it.
func (r *room) take(f func(time.Time)) {
	for n := 1; ; n++ {
		r.last = r.s.cfg.Now()
		f(r.last)
		if n == maxBatch {
			return
		}
		select {
		case f = <-r.inbox:
		default:
			return
		}
	}
}

// shortest is how often a room looks after what is due, at most. What becomes due
// after a rest is looked after at once.
const shortest = 5 * time.Millisecond

// rest is how long nothing is due.
func (r *room) rest() time.Duration {
	if r.again {
		r.again = false
		return 0
	}
	if len(r.sealed) > 0 {
		return gather
	}
	now := r.s.cfg.Now()
	due := r.keys.due(r.seat.Deadline())
	soonest := min(r.ticked.Add(shortest).Sub(now), shortest)
	return max(due.Sub(now), soonest, 0)
}

// act carries out what the inputs led to: what must be found again first.
func (r *room) act() error {
	now := r.s.cfg.Now()
	if !r.gathers(now) {
		r.publish(now)
	}
	ready := r.seat.Ready(now)
	if err := r.sweep(now); err != nil {
		return err
	}
	r.findJoin()
	r.puts = slices.Grow(r.puts, 2*len(ready.Record)) // mostly messages: their place in the log, and what they say
	for _, e := range ready.Record {
		r.event(now, e)
	}
	for _, e := range ready.Hub {
		r.hubEvent(e)
	}
	r.know()
	r.review(now)
	acknowledgement := r.seat.Acknowledge(now)
	if !ready.Save.First() { // members need not wait until a hub has written what a message says
		r.sendAll(ready.Send)
		ready.Send = nil
	}
	if err := r.save(now, ready.Save); err != nil {
		return err
	}
	for _, f := range r.after {
		f()
	}
	r.after = nil
	r.awaken()
	r.notify()
	r.sendAll(ready.Send)
	r.sendAll(acknowledgement)
	r.follow()
	r.speak(ready.Topic)
	r.keys.give(now)
	r.keys.request(now)
	if r.changed {
		r.changed = false
		close(r.news)
		r.news = make(chan struct{})
	}
	return nil
}

// sendAll sends frames. One that goes to several is encoded once.
func (r *room) sendAll(list []seat.Send) {
	encoded := make(map[wire.Frame]outbound)
	for _, x := range list {
		if x.To == r.s.self {
			continue
		}
		o, ok := encoded[x.Frame]
		if !ok {
			o = outbound{hub: wire.OnHub(x.Frame), frame: wire.Encode(x.Frame)}
			encoded[x.Frame] = o
		}
		r.s.dialer.send(x.To, o)
	}
}

func (r *room) send(to protocols.Key, f wire.Frame) {
	if to != r.s.self {
		r.s.dialer.send(to, outbound{hub: wire.OnHub(f), frame: wire.Encode(f)})
	}
}

// save writes what has changed: the own chain first, for no key may be used
// twice; then the rows, with what was opened; and then that it was.
func (r *room) save(now time.Time, x seat.Save) error {
	if err := r.keys.saveOut(); err != nil {
		return err
	}
	puts, deletes := appendSeatRows(r.puts, r.id, x)
	deletes = append(deletes, notPut(r.dels, puts)...)
	r.puts, r.dels = nil, nil
	r.spare.add(r.id, x)
	if r.unsaved {
		r.unsaved = false
		puts = append(puts, Row{Key: rowKey(r.id, rowPlace), Value: encode(r.place)})
	}
	if len(puts)+len(deletes) > 0 {
		if err := r.s.cfg.Rows.Apply(r.spare.take(puts, deletes)); err != nil {
			return err
		}
	}
	return r.keys.saveIn(now)
}

// end writes what could wait.
func (r *room) end() error {
	err := r.keys.end()
	if len(r.spare) > 0 {
		err = errors.Join(err, r.s.cfg.Rows.Apply(r.spare.take(nil, nil)))
	}
	return err
}

// notPut returns the keys that are not put.
func notPut(keys [][]byte, puts []Row) [][]byte {
	return slices.DeleteFunc(keys, func(k []byte) bool {
		return slices.ContainsFunc(puts, func(p Row) bool { return string(p.Key) == string(k) })
	})
}

// frame takes what a peer said.
func (r *room) frame(now time.Time, from protocols.Key, f wire.Frame) error {
	if r.place.serves() && r.seat.Ledger().Fold().Member(from) {
		r.alive = now
	}
	switch f := f.(type) {
	case *wire.Refused:
		r.declined(from, f)
	case *wire.Publish:
		r.showDoor(from, f)
	}
	return r.seat.Receive(now, from, f)
}

// showDoor tells one who wants to join by a good record who is hub, and one whom
// this node invited, in vain, that it need not ask on.
func (r *room) showDoor(from protocols.Key, f *wire.Publish) {
	if len(f.Records) != 1 {
		return
	}
	rec, err := wire.ParseRecord(f.Records[0])
	if err != nil || rec.Kind != wire.KindJoin || rec.Author != from || rec.Group != r.id || rec.Verify(r.s.cfg.Prover) != nil {
		return
	}
	fold := r.seat.Ledger().Fold()
	switch {
	case fold.Member(from) || fold.Judge(rec, false) == nil:
		frame := r.seat.Branch().Frame()
		r.send(from, &frame)
	case !r.seat.Leads() && r.invited(rec) != nil:
		r.send(from, &wire.Refused{Group: r.id, Record: rec.ID, Reason: envelope.ReasonPolicy})
	}
}

// invited returns the invitation, if this node made it, that a join record is by.
func (r *room) invited(rec *wire.Record) *wire.Invite {
	p, err := wire.ParseJoin(rec.Payload)
	if err != nil || p.Invite == nil {
		return nil
	}
	i, c, err := wire.ParseInvite(r.s.cfg.Verifier, p.Invite)
	if err != nil || i.Issuer != r.s.self || c.Group() != r.id {
		return nil
	}
	return i
}

// event takes what happened to records.
func (r *room) event(now time.Time, e member.Event) {
	r.changed = true
	switch e.Kind {
	case member.Arrived:
		r.arrived(now, e)
	case member.Accepted:
		r.accepted(e)
	case member.Delayed:
		r.delayed(now, e)
	case member.Refused:
		r.refused(now, e)
	case member.Moved:
		r.refold, r.joinedIn, r.awaited.all = true, 0, true
		r.tell(Event{What: Shifted, Count: e.Count})
	case member.Expelled:
		r.part(now, e.Record)
	case member.Receipted:
		for _, x := range e.Receipts {
			r.keys.opened(now, x)
		}
		r.awaited.all = true
	case member.Shortened:
		r.place.Cuts.add(*e.Cut)
		r.unsaved, r.awaited.all = true, true
	case member.Rooted:
		r.place.Invite, r.unsaved, r.unrooted = nil, true, time.Time{}
	case member.Unrooted:
		if r.unrooted.IsZero() {
			r.unrooted = now
		}
		if r.place.Invite == nil || now.Sub(r.unrooted) >= rootTime { // before, whoever invited may explain it
			r.forged(now, e.Peer, errRoot)
		}
	case member.Turned:
		r.blame(now, TurnedAway, e.Peer, e.Reason.String())
	case member.Withheld:
		r.withheld(now, e)
	case member.Mistimed:
		r.mistimed(now, e.Peer, e.Err)
	case member.Removed:
		if r.place.serves() { // a relay has nothing to lose by the word of a hub that lies
			r.leave(now)
		}
	case member.Forked: // failover tells of it
		logger.Warnw("the hub signed two logs", "group", r.id, "hub", r.seat.Branch().Primary())
	}
}

func (r *room) arrived(now time.Time, e member.Event) {
	rec := e.Record
	r.s.count.record()
	r.awaited.stir(rec.ID)
	if e.Err != nil {
		r.keys.grants.never(rec.Name())
		r.tellVoid(now, e)
		return
	}
	if rec.Kind != wire.KindMessage {
		r.tellRecord(rec, e.Place.Seq)
	}
	switch rec.Kind {
	case wire.KindMessage:
		r.keys.stands(now, e.Place.Seq, rec.Name())
		r.keys.open(now, rec)
	case wire.KindJoin:
		r.promise(now, rec)
	case wire.KindLeave, wire.KindKick, wire.KindDissolve, wire.KindSettings:
		r.departed(now, rec)
	}
}

// departed takes that somebody is no member any more.
func (r *room) departed(now time.Time, rec *wire.Record) {
	if r.over() {
		r.part(now, rec)
		return
	}
	r.listed(rec)
	r.renew(now, rec)
}

// part takes that this node is no member any more, by a record.
func (r *room) part(now time.Time, rec *wire.Record) {
	if r.leaving {
		return
	}
	r.tell(Event{What: Removed, Peer: r.s.self, By: rec.Author})
	r.leave(now)
}

// leave ends this node's part in the group. Who was hub hands over.
func (r *room) leave(now time.Time) {
	if r.leaving {
		return
	}
	r.again = r.seat.Leads() && r.seat.Resign(now)
	r.leaving = true
	time.AfterFunc(parting, func() { r.post(func(time.Time) { r.gone = true }) })
}

// parting is how long one who is no member any more stays to let go of what is
// under way.
const parting = 3 * time.Second

// findJoin finds where this node's join stands in the log.
func (r *room) findJoin() {
	fold := r.seat.Ledger().Fold()
	if r.joinedIn == fold.Version()+1 {
		return
	}
	r.joined, r.joinedIn = 0, fold.Version()+1
	if m, ok := fold.Of(r.s.self); ok && m.Admission != (wire.RecordID{}) {
		r.joined, _ = r.seat.Ledger().Log().Find(wire.RecordName{Author: r.s.self, ID: m.Admission})
	}
}

// know tells the keys of the newest roster.
func (r *room) know() {
	fold := r.seat.Ledger().Fold()
	if r.known != fold.Version() || r.refold {
		r.known, r.refold, r.awaited.all = fold.Version(), false, true
		r.keys.know(fold)
		nodes := make(map[protocols.Key]bool, fold.Len())
		for k := range fold.All() {
			nodes[k] = true
		}
		for _, k := range fold.Settings().HubRelays {
			nodes[k] = true
		}
		r.relate(nodes)
		r.lanes.keep(nodes)
		r.passing.know(nodes)
		r.changed = true
		if !r.place.Member && r.takesPart() {
			r.place.Member, r.unsaved = true, true
		}
	}
}
