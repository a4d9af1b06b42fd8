package node

import (
	"time"

	"github.com/tom-protocol/tom/node/identity"
)

// sightInterval is how often this node notes who is up.
const sightInterval = 5 * time.Minute

// sight notes who is up: the neighbours, and, which is a claim and counts for
// less, those who have just let everybody know where they are.
func (n *Node) sight() {
	now := n.clock.Now()
	for _, l := range n.links.Peers() {
		n.cache.Saw(identity.PeerIDOf(l.Peer), now, true)
	}
	for id, made := range n.presence.Made() {
		if !made.After(now) {
			n.cache.Saw(id, made, false)
		}
	}
}
