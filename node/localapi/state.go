package localapi

import "slices"

// State is how far a message of ours has come.
type State string

// The states, in the order a message passes them; the last two mean "no receipt
// so far".
const (
	Queued    State = "queued"    // synced to disk here: accepted
	Sent      State = "sent"      // its bytes have left
	Relayed   State = "relayed"   // a relay has taken it
	Stored    State = "stored"    // enough backup holders have signed for it
	Delivered State = "delivered" // the recipient's signed receipt is here
	Read      State = "read"      // the recipient's signed read receipt is here
	Expired   State = "expired"   // its lifetime ended without a receipt
	Failed    State = "failed"    // it cannot be delivered: Message.Reason says why
)

var progress = []State{Queued, Sent, Relayed, Stored, Delivered, Read}

// Reached says that s is at least want, on the way from queued to read.
func (s State) Reached(want State) bool { return reached(progress, s, want) }

func reached[S comparable](way []S, at, want S) bool {
	need := slices.Index(way, want)
	return need >= 0 && slices.Index(way, at) >= need
}

// Over says that nothing more is sent for the message.
func (s State) Over() bool {
	return s.Reached(Delivered) || s == Expired || s == Failed
}

// settled says that waiting for want makes no sense any more.
func (s State) settled(want State) bool {
	return s.Reached(want) || s == Expired || s == Failed
}
