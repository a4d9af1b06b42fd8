// Package discovery finds nodes to connect to. A Source knows of some: the
// rendezvous folder those of this user on this machine, mDNS those of the LAN,
// the cache those met before, the bootstrap list those the user named, the DHT
// those of the network, presence those of the network that offer a role. Each
// can be missing. A Service asks all of them and
// connects, within bounds: whoever claims to be somewhere costs a dial now and
// then, and nothing else.
package discovery

import (
	"context"

	"github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/peer"
)

var logger = log.Logger("tom/discovery")

// Source knows where peers may be.
type Source interface {
	// Name is the source in a word, for logs.
	Name() string
	// Run calls found for every peer it hears of, again and again while it does,
	// until ctx ends. found does not block. An error means that the source
	// cannot work here, now.
	Run(ctx context.Context, found func(peer.AddrInfo)) error
}
