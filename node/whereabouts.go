package node

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// tellAgain is how often this node tells its neighbours where it is, while that
// stays as it is.
const tellAgain = 10 * time.Minute

// tellWhere tells a neighbour where this node is, if it is a friend, which finds
// us again after both have moved, as long as one of them can be found; or one
// that others ask where we are.
func (n *Node) tellWhere(p Peer, said []byte) {
	if n.store.Stranger(p) && !n.asked(p) {
		return
	}
	// The hello has told it our prekeys.
	if err := n.links.SendPresence(p, heartbeat.Presence{Presence: said}.Append(nil)); err != nil {
		logger.Debugw("presence not sent", "peer", p, "err", err)
	}
}

// asked says that strangers may ask a neighbour where this node is: it serves
// the DHT, or relays for us.
func (n *Node) asked(p Peer) bool {
	id := identity.PeerIDOf(p)
	return n.dht != nil && n.dht.Serves(id) || slices.Contains(n.reach.Relays(), id)
}

// tellNeighbours tells all neighbours whom it concerns where this node is.
func (n *Node) tellNeighbours() {
	said := n.presence.Own()
	for _, l := range n.links.Peers() {
		n.tellWhere(l.Peer, said)
	}
}

// toldWhere takes in where a neighbour says that it is, or somebody else, if
// that is no stranger here.
func (n *Node) toldWhere(from Peer, frame []byte) {
	f, err := heartbeat.ParsePresence(frame)
	if err != nil {
		logger.Debugw("not a presence", "peer", from, "err", err)
		return
	}
	about, ok := n.presence.Told(from, f.Presence, func(p Peer) bool { return !n.store.Stranger(p) })
	if ok && len(f.Prekeys) > 0 {
		n.courier.LearnPrekeys(about, f.Prekeys)
	}
}
