package node

import (
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// tellWhere tells a friend where this node is, so that it finds us again after
// both have moved, as long as one of them can be found.
func (n *Node) tellWhere(p Peer, said []byte) {
	if n.store.Stranger(p) {
		return
	}
	// The hello has told it our prekeys.
	if err := n.links.SendPresence(p, heartbeat.Presence{Presence: said}.Append(nil)); err != nil {
		logger.Debugw("presence not sent", "peer", p, "err", err)
	}
}

// tellFriends tells all friends who are connected where this node is.
func (n *Node) tellFriends() {
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
