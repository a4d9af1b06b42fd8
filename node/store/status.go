package store

import (
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// States is the number of values a delivery.State can take, zero included.
const States = int(delivery.Failed) + 1

// maxAttempts is how many attempts a status keeps, the newest.
const maxAttempts = 32

// ReceiptRef names a stored receipt; zero names none.
type ReceiptRef uint64

// Status is how an outgoing message stands.
type Status struct {
	ID      envelope.ID
	To      protocols.Key
	Created time.Time
	End     time.Time // of the message's lifetime
	State   delivery.State
	// Times says when each state began, indexed by state; zero for those that
	// were passed over or are not reached.
	Times         [States]time.Time
	Digest        envelope.Digest // zero until sealed
	Control       bool            // see Outgoing: such a status lives only in memory
	ForwardSecret bool
	Reason        string      // why it failed, in words
	Path          string      // the path of the newest attempt
	Successor     envelope.ID // the message that carries the content on; zero if none
	Receipt       ReceiptRef  // the receipt that made it delivered or read; zero if none
	Attempts      []delivery.Attempt
}

// append packs the row.
func (s *Status) append(b []byte) []byte {
	b = append(b, flag(s.Control, flagControl)|flag(s.ForwardSecret, flagForwardSecret), byte(s.State))
	b = append(b, s.To[:]...)
	b = append(b, s.Digest[:]...)
	b = appendTime(b, s.Created)
	b = appendTime(b, s.End)
	b = appendText(b, s.Reason)
	b = appendText(b, s.Path)
	b = appendOptionalID(b, s.Successor)
	b = binary.AppendUvarint(b, uint64(s.Receipt))
	b = s.appendTimes(b)
	attempts := s.Attempts[max(0, len(s.Attempts)-maxAttempts):]
	b = binary.AppendUvarint(b, uint64(len(attempts)))
	for _, a := range attempts {
		b = appendTime(b, a.At)
		b = appendText(b, a.Path)
		b = appendRoute(b, a.Via)
		b = appendText(b, a.Result)
	}
	for _, a := range attempts {
		b = appendText(b, a.Transport)
	}
	return b
}

// appendRoute packs the relays one behind the other.
func appendRoute(b []byte, r delivery.Route) []byte {
	b = binary.AppendUvarint(b, uint64(len(r)*protocols.KeySize))
	for i := range r {
		b = append(b, r[i][:]...)
	}
	return b
}

func (u *unpacker) route() (r delivery.Route) {
	for raw := u.bytes(); len(raw) >= protocols.KeySize; raw = raw[protocols.KeySize:] {
		r = append(r, protocols.Key(raw[:protocols.KeySize]))
	}
	return r
}

// appendTimes packs the count of states reached and each with its time.
func (s *Status) appendTimes(b []byte) []byte {
	n := 0
	for _, t := range s.Times {
		if !t.IsZero() {
			n++
		}
	}
	b = append(b, byte(n))
	for state, t := range s.Times {
		if !t.IsZero() {
			b = appendTime(append(b, byte(state)), t)
		}
	}
	return b
}

func appendOptionalID(b []byte, id envelope.ID) []byte {
	if id == (envelope.ID{}) {
		return append(b, 0)
	}
	return append(append(b, 1), id[:]...)
}

func parseStatus(id envelope.ID, row []byte) (*Status, error) {
	u := unpacker{b: row}
	s := &Status{ID: id}
	flags := u.byte()
	s.Control, s.ForwardSecret = flags&flagControl != 0, flags&flagForwardSecret != 0
	s.State = delivery.State(u.byte())
	u.fixed(s.To[:])
	u.fixed(s.Digest[:])
	s.Created, s.End = u.time(), u.time()
	s.Reason, s.Path = u.text(), u.text()
	if u.byte() != 0 {
		u.fixed(s.Successor[:])
	}
	s.Receipt = ReceiptRef(u.uint())
	s.parseTimes(&u)
	for n := min(u.uint(), maxAttempts); n > 0 && u.err == nil; n-- {
		s.Attempts = append(s.Attempts, delivery.Attempt{At: u.time(), Path: u.text(), Via: u.route(), Result: u.text()})
	}
	for i := range s.Attempts { // a row of an earlier version ends here
		if len(u.b) == 0 {
			break
		}
		s.Attempts[i].Transport = u.text()
	}
	return s, u.err
}

func (s *Status) parseTimes(u *unpacker) {
	for n := u.byte(); n > 0 && u.err == nil; n-- {
		state, t := u.byte(), u.time()
		if int(state) < States {
			s.Times[state] = t
		}
	}
}

// queued is the status of a message of which nothing was saved yet.
func queued(o *Outgoing) *Status {
	s := &Status{
		ID: o.ID, To: o.To, Created: o.Created, End: o.End(), State: delivery.Queued,
		Digest: o.Digest, Control: o.Control, ForwardSecret: o.ForwardSecret,
	}
	s.Times[delivery.Queued] = o.Created
	return s
}
