package links

import "github.com/libp2p/go-libp2p/core/peer"

// Overlook forgets a neighbour, as if the word of its connection had not come
// yet.
func (l *Links) Overlook(p peer.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.peers, p)
}
