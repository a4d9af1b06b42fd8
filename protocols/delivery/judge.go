package delivery

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Letter is what an author keeps of a message to judge receipts by, also after
// its content is gone.
type Letter struct {
	ID      envelope.ID
	From    protocols.Key
	To      protocols.Key
	Digest  envelope.Digest
	Created time.Time
	End     time.Time
	Control bool // carries receipts; it ends with a receipt of kind got
	State   State
}

// Verdict is what a receipt's entry means for a letter.
type Verdict uint8

// The verdicts. Ignore is also the answer to every forgery.
const (
	Ignore   Verdict = iota
	Deliver          // the recipient has it
	MarkRead         // the recipient has shown it to its user
	Reseal           // the recipient cannot open it: seal the content once more
)

// Judge says what entry i of a receipt, its signature already verified, means
// for a letter. It acts only if recipient, author, id and digest are those of
// the letter, and mends an expired or failed one only by a receipt whose time
// lies within its lifetime.
func Judge(l Letter, r *ack.Receipt, i int) Verdict {
	e := r.Entries[i]
	if r.From != l.To || r.To != l.From || e.ID != l.ID || e.Digest != l.Digest.Short() {
		return Ignore
	}
	if (r.Kind == ack.Got) != l.Control {
		return Ignore
	}
	if l.State == Expired || l.State == Failed {
		if at := time.UnixMilli(int64(r.Time)); at.Before(l.Created.Add(-envelope.ClockSkew)) || at.After(l.End) {
			return Ignore
		}
	}
	switch r.Kind {
	case ack.Delivered, ack.Got:
		return grow(l.State, Delivered, Deliver)
	case ack.Read:
		return grow(l.State, Read, MarkRead)
	case ack.Unopenable:
		if !l.State.Final() {
			return Reseal
		}
	}
	return Ignore
}

// grow is v unless the state is already at to or, once receipted, beyond it.
func grow(now, to State, v Verdict) Verdict {
	if now.Receipted() && now >= to {
		return Ignore
	}
	return v
}
