package discovery

import (
	"context"
	"crypto/sha256"
	"time"

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
		found = d.gather(kad.FindProvidersAsync(ctx, digestCID(digest), 4*n), n)
		if len(found) == 0 {
			return ErrNotFound
		}
		return nil
	})
	return found, err
}

// moreProviders is how long others are waited for once one is found: among those
// to ask there are always some who are away.
const moreProviders = time.Second

// gather takes at most n providers with addresses.
func (d *DHT) gather(all <-chan peer.AddrInfo, n int) (found []peer.AddrInfo) {
	var late <-chan time.Time
	for {
		select {
		case info, more := <-all:
			if !more {
				return found
			}
			if info.ID == d.cfg.Host.ID() || len(info.Addrs) == 0 {
				continue
			}
			if found = append(found, info); len(found) == n {
				return found
			}
			if late == nil {
				late = time.After(moreProviders)
			}
		case <-late:
			return found
		}
	}
}

func digestCID(digest [sha256.Size]byte) cid.Cid {
	mh, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // the length is the hash's
	}
	return cid.NewCidV1(cid.Raw, mh)
}

// How long what was found of a role is good for, and how many are looked for.
const (
	offersAge  = 10 * time.Minute
	offersNone = time.Minute // if nobody was found, and twice that the next time
	maxOffers  = 32
)

// offers is what was found of one role.
type offers struct {
	found  []peer.AddrInfo
	at     time.Time // zero: not yet looked for
	misses int       // in a row
}

// old says that it is time to look again.
func (o offers) old() bool {
	age := offersAge
	if o.misses > 0 {
		age = min(age, offersNone<<min(o.misses-1, 8))
	}
	return o.at.IsZero() || time.Since(o.at) > age
}

// Offering implements Offering with what was found last. If that is long ago, it
// is looked for anew.
func (d *DHT) Offering(role uint8) []peer.AddrInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.offers[role]
	if o.old() {
		d.wanted[role] = true
		d.poke()
	}
	return o.found
}

// want takes a role that is to be looked for.
func (d *DHT) want() (role uint8, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for role = range d.wanted {
		delete(d.wanted, role)
		return role, true
	}
	return 0, false
}

// urgent says that somebody waits for a role.
func (d *DHT) urgent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.wanted) > 0
}

// lookForOffers looks for all roles that are wanted.
func (d *DHT) lookForOffers(ctx context.Context) {
	for role, ok := d.want(); ok; role, ok = d.want() {
		found, err := d.Providers(ctx, RoleDigest(role), maxOffers)
		if err != nil {
			logger.Debugw("nobody found for a role", "role", role, "err", err)
		}
		d.mu.Lock()
		o := offers{found: found, at: time.Now()}
		if len(found) == 0 {
			o.misses = d.offers[role].misses + 1
		}
		d.offers[role] = o
		d.mu.Unlock()
		if len(found) > 0 && d.cfg.Offered != nil {
			d.cfg.Offered(role)
		}
	}
}
