package delivery

import (
	"errors"

	"github.com/tom-protocol/tom/protocols"
)

// ErrLimit is what a connection returns through a relay that announced how much
// it carries, when an envelope would not fit what is left.
var ErrLimit = errors.New("the limit of the relay leaves no room for it")

// Path is how a connection to a peer goes.
type Path struct {
	Relayed   bool          // through the circuit of a relay
	Via       protocols.Key // that relay; zero if direct or not known
	Transport string        // what carries it: "quic", "tcp", …; empty if not known
}

// String is the word for users: "direct" or "relayed".
func (p Path) String() string {
	if p.Relayed {
		return "relayed"
	}
	return "direct"
}
