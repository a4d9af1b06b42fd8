// Package delivery decides what happens to a message between Send and the
// recipient's receipt. It is pure: time and input come in, effects and the
// next deadline go out; nothing here touches a clock, a socket or a disk.
package delivery

import "time"

// State is how far an outgoing message has come. States only grow, with two
// exceptions that a recipient's receipt may still mend: Expired and Failed mean
// "no receipt so far".
type State uint8

// The states of an outgoing message, in the order it passes them.
const (
	Queued    State = iota + 1 // synced to disk here: the message is accepted
	Sent                       // its bytes have left over some connection
	Relayed                    // a relay has taken it
	Stored                     // enough backup holders have signed for it
	Delivered                  // the recipient's signed receipt is here
	Read                       // the recipient's signed read receipt is here
	Expired                    // its lifetime ended without a receipt
	Failed                     // it cannot be delivered, for a reason time does not mend
)

var stateNames = [...]string{"unknown", "queued", "sent", "relayed", "stored", "delivered", "read", "expired", "failed"}

// String returns the state's name as users see it.
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return stateNames[0]
	}
	return stateNames[s]
}

// ParseState is the inverse of String; ok is false for any other word.
func ParseState(name string) (s State, ok bool) {
	for i, n := range stateNames[1:] {
		if n == name {
			return State(i + 1), true
		}
	}
	return 0, false
}

// Receipted says that the recipient has signed for the message.
func (s State) Receipted() bool { return s == Delivered || s == Read }

// Final says that nothing more is sent for the message.
func (s State) Final() bool { return s >= Delivered }

// Attempt is one try to bring a message nearer to its recipient.
type Attempt struct {
	At        time.Time
	Path      string // "direct", "relayed", "dial", …: the rung that was tried
	Via       Route  // the relays it went through, if known
	Transport string // what carried it: "quic", "tcp", …; empty if not known
	Result    string // what came back, in words; empty while unknown
}
