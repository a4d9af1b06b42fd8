package discovery

import (
	"context"
	"crypto/sha256"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
)

// RoleDigest is what the providers of a role are found under.
func RoleDigest(role uint8) [sha256.Size]byte {
	return sha256.Sum256(append([]byte("tom-role"), role))
}

// Provide tells the DHT that this node offers what a digest stands for. The
// word of it lasts 24 hours, and where this node is two: it is to be given
// again by then.
func (d *DHT) Provide(ctx context.Context, digest [sha256.Size]byte) error {
	return d.ask(ctx, "provide", func(ctx context.Context, kad *dht.IpfsDHT) error {
		return kad.Provide(ctx, digestCID(digest), true)
	})
}

// Providers finds at most n nodes that say they offer what a digest stands for.
// Those are claims. Providers whose addresses are not known are left out.
func (d *DHT) Providers(ctx context.Context, digest [sha256.Size]byte, n int) (found []peer.AddrInfo, err error) {
	err = d.ask(ctx, "providers", func(ctx context.Context, kad *dht.IpfsDHT) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for info := range kad.FindProvidersAsync(ctx, digestCID(digest), 4*n) {
			if info.ID == d.cfg.Host.ID() || len(info.Addrs) == 0 {
				continue
			}
			if found = append(found, info); len(found) == n {
				return nil
			}
		}
		if len(found) == 0 {
			return ErrNotFound
		}
		return nil
	})
	return found, err
}

func digestCID(digest [sha256.Size]byte) cid.Cid {
	mh, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // the length is the hash's
	}
	return cid.NewCidV1(cid.Raw, mh)
}
