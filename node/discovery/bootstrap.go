package discovery

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// bootstrapInterval is how often bootstrap nodes are named again; the service
// decides when to dial them.
const bootstrapInterval = 2 * time.Second

// Bootstrap is a source of peers that the user named.
type Bootstrap []peer.AddrInfo

// Name implements Source.
func (Bootstrap) Name() string { return "bootstrap" }

// Run implements Source.
func (b Bootstrap) Run(ctx context.Context, found func(peer.AddrInfo)) error {
	tick := time.NewTicker(bootstrapInterval)
	defer tick.Stop()
	for {
		for _, info := range b {
			found(info)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
