package groups

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols/envelope"
)

type entry = journal.Entry

// maxSent bounds the own records of which is known what became of them.
const maxSent = 8192

// sentRecord is what became of a record of this node.
type sentRecord struct {
	place    wire.Place // zero: nowhere yet
	replicas uint64
	accepted bool
	busy     time.Time       // until then the hub wants to hear nothing of it
	refused  envelope.Reason // 0: it is not
	why      string          // it is
	again    wire.RecordID   // what its content was written again as; zero: it was not
}

func newRecordID(now time.Time) wire.RecordID { return wire.RecordID(envelope.NewID(now)) }

// recall notes an own record that was written before.
func (r *room) recall(rec *wire.Record) {
	if rec.Author == r.s.self && r.sent[rec.ID] == nil {
		r.track(rec.ID)
	}
}

// wrote says that this node has written a record under that id before.
func (r *room) wrote(id wire.RecordID) bool {
	if r.sent[id] != nil {
		return true
	}
	_, ok := r.seat.Ledger().Log().Find(wire.RecordName{Author: r.s.self, ID: id})
	return ok
}

func (r *room) track(id wire.RecordID) {
	r.sent[id] = new(sentRecord)
	if r.sentList = append(r.sentList, id); len(r.sentList) > maxSent {
		delete(r.sent, r.sentList[0])
		r.sentList = r.sentList[1:]
	}
}

// maxSigned is how many records one signature covers: each carries a path of
// hashes to it, which grows with their number, by one for twice as many.
const maxSigned = 128

// gather is how long an author that has heard nothing yet of what it wrote before
// gathers what it writes, to sign it together: who writes one message at a time
// waits for nothing. When much more is unanswered than was gathered, it would only
// wait elsewhere: then it is gathered for longer, if several write at once.
const (
	gather     = 2 * time.Millisecond
	gatherLong = 20 * time.Millisecond
	gatherPart = 4 // of what is unanswered
)

// sealed is a message that is to be signed.
type sealed struct {
	at     time.Time
	record wire.Record
	done   func(wire.RecordID, error) // called when it is on disk
}

// shares lets one more hear what becomes of a message that is to be signed; false if
// there is none of that id.
func (r *room) shares(id wire.RecordID, done func(wire.RecordID, error)) bool {
	i := slices.IndexFunc(r.sealed, func(x sealed) bool { return x.record.ID == id })
	if i < 0 {
		return false
	}
	first := r.sealed[i].done
	r.sealed[i].done = func(id wire.RecordID, err error) {
		first(id, err)
		done(id, err)
	}
	return true
}

// gathers says that more may come to be signed together with what was sealed.
func (r *room) gathers(now time.Time) bool {
	n, unanswered := len(r.sealed), r.seat.Unanswered()
	if n == 0 || n >= maxSigned || unanswered == 0 {
		return false
	}
	long := gather
	if n > 1 && gatherPart*n < unanswered {
		long = gatherLong
	}
	since := now.Sub(r.sealed[0].at)
	return since >= 0 && since < long
}

// publish signs what was sealed since the last time, many at once, and lets it
// take its way.
func (r *room) publish(now time.Time) {
	list := r.sealed
	r.sealed = nil
	for part := range slices.Chunk(list, maxSigned) {
		records := make([]wire.Record, len(part))
		for i, x := range part {
			records[i] = x.record
		}
		r.write(now, part, wire.SignRecords(r.s.cfg.Signer, records))
	}
}

// write gives signed messages to the seat, and says how that went.
func (r *room) write(now time.Time, list []sealed, signed [][]byte) {
	records, written := make([]*wire.Record, 0, len(list)), make([]sealed, 0, len(list))
	for i, b := range signed {
		rec, err := wire.ParseRecord(b)
		if err != nil {
			r.lost(list[i], ErrTooLarge)
			continue
		}
		r.track(rec.ID)
		records, written = append(records, rec), append(written, list[i])
	}
	taken := r.seat.Write(now, records...)
	for i, rec := range records {
		if i < taken {
			r.after = append(r.after, func() { written[i].done(rec.ID, nil) })
			continue
		}
		delete(r.sent, rec.ID)
		r.lost(written[i], ErrBusy)
	}
	r.changed = true
}

// lost says that a sealed message takes no way: another shows who has the chain.
func (r *room) lost(x sealed, err error) {
	r.keys.grants.never(wire.RecordName{Author: r.s.self, ID: x.record.ID})
	x.done(x.record.ID, err)
}

func (r *room) accepted(e member.Event) {
	if st := r.sent[e.Name.ID]; st != nil {
		r.s.count.accepted()
		st.accepted, st.place, st.replicas = true, e.Place, max(st.replicas, e.Replicas)
		r.awaited.stir(e.Name.ID)
	}
}

// delayed notes that the hub has no time for a record yet.
func (r *room) delayed(now time.Time, e member.Event) {
	if st := r.sent[e.Name.ID]; st != nil {
		st.busy = now.Add(time.Duration(e.Value) * time.Millisecond)
		r.awaited.stir(e.Name.ID)
	}
}

// refused notes a refusal, or that no hub took a record while it lived. A message whose
// chain was older than the last leave or kick is sealed with a new one: it waits as
// before, unless that fails.
func (r *room) refused(now time.Time, e member.Event) {
	r.keys.grants.never(e.Name)
	st := r.sent[e.Name.ID]
	if st == nil {
		return
	}
	r.s.count.refused(e.Reason)
	detail := e.Reason.String()
	if e.Err != nil {
		detail = e.Err.Error()
	}
	final := func() {
		st.refused, st.why = e.Reason, detail
		r.awaited.stir(e.Name.ID)
		r.tell(Event{What: Refused, Peer: r.s.self, Record: e.Name.ID, Detail: detail})
	}
	content, err := r.content(e.Name)
	if e.Reason != envelope.ReasonRoster || err != nil {
		final()
		return
	}
	r.keys.write(now, draft{contentType: content.Type, body: content.Body, done: func(id wire.RecordID, err error) {
		if err != nil {
			final()
			return
		}
		st.again, r.awaited.all = id, true
	}})
}
