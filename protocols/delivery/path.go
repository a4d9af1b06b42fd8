package delivery

import "github.com/tom-protocol/tom/protocols"

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
