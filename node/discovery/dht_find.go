package discovery

import (
	"context"
	"errors"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/multiformats/go-multiaddr"
)

// secondOpinion is how long to listen for what others say, once somebody has
// said where a peer is: neighbours answer at about the same time, and one of
// them may be wrong.
const secondOpinion = 60 * time.Millisecond

// Find implements Finder. It does not wait for the end of the lookup, which
// comes only when all who are near have been asked: among them are those that
// have gone, and each costs a dial that nobody answers.
func (d *DHT) Find(ctx context.Context, id peer.ID) (found []multiaddr.Multiaddr, err error) {
	if d.missed.lately(id, time.Now()) {
		return nil, ErrNotFound
	}
	err = d.ask(ctx, "peer", func(ctx context.Context, kad *dht.IpfsDHT) error {
		addrs, err := d.lookUp(ctx, kad, id)
		if errors.Is(err, routing.ErrNotFound) {
			d.missed.note(id, time.Now())
			return ErrNotFound
		}
		found = addrs
		return err
	})
	return found, err
}

func (d *DHT) lookUp(ctx context.Context, kad *dht.IpfsDHT, id peer.ID) (addrs []multiaddr.Multiaddr, err error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	asking, events := routing.RegisterForQueryEvents(asking)
	go func() {
		_, err := kad.FindPeer(asking, id)
		ended <- err
	}()
	var enough <-chan time.Time
	for {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil // the time is over
			}
			if addrs = append(addrs, d.dialable(named(e, id))...); len(addrs) > 0 && enough == nil {
				enough = time.After(secondOpinion)
			}
		case <-enough:
			cancel()
			<-ended
			return multiaddr.Unique(addrs), nil
		case err := <-ended:
			if err != nil && len(addrs) == 0 {
				return nil, err
			}
			d.identify(ctx, id) // it may have met the peer
			return foundOrNot(multiaddr.Unique(append(addrs, d.cfg.Host.Peerstore().Addrs(id)...)))
		}
	}
}

// named are the addresses of the peer in somebody's answer.
func named(e *routing.QueryEvent, id peer.ID) (addrs []multiaddr.Multiaddr) {
	if e == nil || e.Type != routing.PeerResponse {
		return nil
	}
	for _, p := range e.Responses {
		if p.ID == id {
			addrs = append(addrs, p.Addrs...)
		}
	}
	return addrs
}

// identify waits until a peer that the lookup has met has said where it
// listens.
func (d *DHT) identify(ctx context.Context, id peer.ID) {
	h, ok := d.cfg.Host.(interface{ IDService() identify.IDService })
	if !ok {
		return
	}
	for _, c := range d.cfg.Host.Network().ConnsToPeer(id) {
		select {
		case <-h.IDService().IdentifyWait(c):
		case <-ctx.Done():
		}
	}
}
