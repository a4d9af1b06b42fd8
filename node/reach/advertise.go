package reach

import (
	"net/netip"
	"slices"
	"time"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// patience is how long an address of this machine's own that AutoNAT has not
// judged is kept back while there is a circuit to come by. A verdict takes one to
// twelve seconds, if anybody can give one.
const patience = 15 * time.Second

// advert picks among addresses those that others should hear of. An address that
// nobody can dial costs each peer that tries more than a second before a hole is
// punched, so while there are circuits, what is not confirmed is kept back: an
// address seen from outside for good, because behind a NAT it mostly is dead; one
// of an interface for a while.
type advert struct {
	circuits []multiaddr.Multiaddr // by which this node can be reached now
	wanted   bool                  // circuits are needed although an address is confirmed
	judged   []multiaddr.Multiaddr // confirmed, and not doubted, or on trial
	doubted  []multiaddr.Multiaddr // confirmed by those alone who were spoken to
	vouched  bool                  // the user says that all addresses can be reached
	since    time.Time             // of the uplink
	uplink   Uplink
	gone     []netip.Addr // addresses of former uplinks: libp2p notices after a minute
}

// move takes in that the uplink is another.
func (v *advert) move(now time.Time, to Uplink) {
	for _, n := range v.uplink.Nets {
		v.gone = append(v.gone, n.Addr())
	}
	v.gone = append(v.gone, v.uplink.V4, v.uplink.V6)
	v.gone = slices.DeleteFunc(v.gone, func(a netip.Addr) bool { return !a.IsValid() || to.Holds(a) })
	v.gone = v.gone[max(0, len(v.gone)-maxGone):]
	v.uplink, v.since = to, now
}

// maxGone bounds the memory of former addresses.
const maxGone = 64

// renumber puts the new uplink's address in the place of one that is gone; nil:
// there is none of its family.
func (v *advert) renumber(a multiaddr.Multiaddr) multiaddr.Multiaddr {
	at, _, ok := endpoint(a)
	if !ok || !slices.Contains(v.gone, at.Addr()) {
		return a
	}
	to := v.uplink.V4
	if at.Addr().Is6() {
		to = v.uplink.V6
	}
	if !to.IsValid() {
		return nil
	}
	ip, err := manet.FromIP(to.AsSlice())
	if err != nil {
		return nil
	}
	return ip.Encapsulate(a[1:])
}

// pick filters addrs, which libp2p has freed of those that are known to be
// unreachable, and to which it has added the circuits if none is confirmed.
func (v *advert) pick(now time.Time, addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	unconfirmed := false
	for _, a := range addrs {
		unconfirmed = unconfirmed || relayed(a)
	}
	picked := make([]multiaddr.Multiaddr, 0, len(addrs)+len(v.circuits))
	for _, a := range addrs {
		if a = v.renumber(a); a == nil || multiaddr.Contains(picked, a) {
			continue
		}
		// Libp2p asks about what AutoNAT has confirmed before this node has judged it.
		waits := unconfirmed || len(v.circuits) > 0 && !multiaddr.Contains(v.judged, a)
		if waits && !v.vouched && public(a) && !v.shows(now, a) {
			continue
		}
		picked = append(picked, a)
	}
	if v.wanted && !unconfirmed {
		picked = append(picked, v.circuits...)
	}
	return picked
}

func (v *advert) shows(now time.Time, a multiaddr.Multiaddr) bool {
	at, _, ok := endpoint(a)
	if !ok {
		_, err := manet.ToIP(a)
		return err != nil // a DNS name: somebody configured it
	}
	return v.uplink.Holds(at.Addr()) && now.Sub(v.since) >= patience
}
