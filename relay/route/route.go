package route

import (
	"slices"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Action is what to do with an envelope.
type Action uint8

// The actions.
const (
	Deliver Action = iota + 1 // it is for this node
	Forward                   // to Decision.Next
	Store                     // keep it for its recipient, as a holder
	Reject                    // with Decision.Reason
)

// Decision says what to do with one envelope.
type Decision struct {
	Action Action
	Next   protocols.Key   // Forward: to whom
	Via    []protocols.Key // Forward: what is left of the path, Next first; empty for the recipient
	Hops   uint8           // Forward: with the hop counted that this node is
	Reason envelope.Reason // Reject
}

// View is what this node knows at the moment of a decision.
type View struct {
	Me        protocols.Key
	From      protocols.Key            // the peer that the envelope came from
	Connected func(protocols.Key) bool // there is a connection to the peer
	Known     func(protocols.Key) bool // the peer could be dialled
	Finds     func(protocols.Key) bool // a relay could be, or looked for
	// Back is the neighbour by which envelopes of a peer came lately, if any.
	Back func(protocols.Key) (protocols.Key, bool)

	Carries bool // this node passes envelopes on, for those who ask
	Holds   bool // this node keeps envelopes for recipients that are away
}

// Decide is the one decision of all envelopes. The envelope is verified and in
// time. It reads what the path fields say now, and changes nothing.
func Decide(e *envelope.Envelope, v View) Decision {
	hops := min(e.Hops, envelope.MaxHops)
	switch {
	case e.To == v.Me:
		return Decision{Action: Deliver}
	case e.From == v.Me, v.From == e.To:
		// Our own comes back, or somebody hands us what is its own: both are
		// loops, and there is nobody nearer to the recipient.
		return reject(envelope.ReasonNoRoute)
	case hops >= envelope.MaxHops:
		return reject(envelope.ReasonHops)
	case !v.Carries && !v.Holds:
		return reject(envelope.ReasonPolicy)
	}
	if v.Carries {
		if next, via, ok := onward(e, v); ok {
			return Decision{Action: Forward, Next: next, Via: via, Hops: hops + 1}
		}
	}
	if v.Holds && ends(e, v.Me) {
		return Decision{Action: Store}
	}
	return reject(envelope.ReasonNoRoute)
}

// ends says that this node is the last one before the recipient: only there it is
// known that the recipient is away. A relay before it may be wrong about the
// next, and another path not.
func ends(e *envelope.Envelope, me protocols.Key) bool {
	if len(e.Via) > 0 && e.Via[0] != me {
		return false
	}
	return len(e.Via) < 2 || e.Via[1] == e.To
}

// onward finds the next hop, and the path that is left once this node has taken
// itself off its front. A recipient that is connected is nearer than any
// relay, so the rest of via is dropped for it. Where the path ends before the
// recipient is reached, the way leads back along the one its own envelopes have
// taken: an answer to a stranger needs no more than that. Nobody is led on by a via whose
// first is not this node: it was meant for somebody else, or made up.
func onward(e *envelope.Envelope, v View) (next protocols.Key, via []protocols.Key, ok bool) {
	if v.Connected(e.To) {
		return e.To, nil, true
	}
	if len(e.Via) > 0 && e.Via[0] != v.Me {
		return next, nil, false
	}
	var rest []protocols.Key
	if len(e.Via) > 0 {
		rest = e.Via[1:]
	}
	if circular(rest, e, v) {
		return next, nil, false
	}
	if len(rest) > 0 && rest[0] != e.To && (v.Connected(rest[0]) || v.Finds(rest[0])) {
		return rest[0], slices.Clone(rest), true
	}
	if back, ok := v.Back(e.To); ok && back != v.From && back != e.From && v.Connected(back) {
		return back, nil, true
	}
	if len(rest) == 0 || rest[0] == e.To {
		return e.To, nil, v.Known(e.To)
	}
	return next, nil, false
}

// circular says that a path leads back to where the envelope has been: to this
// node, to who sent it here, to its author, or twice to the same relay.
func circular(rest []protocols.Key, e *envelope.Envelope, v View) bool {
	for i, k := range rest {
		if k == v.Me || k == v.From || k == e.From || slices.Contains(rest[:i], k) {
			return true
		}
	}
	return false
}

func reject(why envelope.Reason) Decision {
	return Decision{Action: Reject, Reason: why}
}

// String names the action as scripts and logs do.
func (a Action) String() string {
	switch a {
	case Deliver:
		return "deliver"
	case Forward:
		return "forward"
	case Store:
		return "store"
	case Reject:
		return "reject"
	}
	return "unknown"
}
