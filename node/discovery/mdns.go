package discovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
)

// MDNS is a source of peers on the LAN: libp2p's mDNS discovery under a service
// name of each network's own. It is written here because the implementation
// that go-libp2p brings writes to the global logger of whoever uses it, names
// each peer once and never again, and stays with the interfaces and addresses
// that were there when it started, while people carry laptops about.
type MDNS struct {
	host    host.Host
	network protocols.Network
	open    func() (segment, error)
	near    recent
}

// segment is where everybody who speaks mDNS hears everybody.
type segment interface {
	join() (fresh bool)       // looks for new places to speak at
	packets() <-chan packet   // that were heard
	sendAll(b []byte)         // everywhere
	send(b []byte, index int) // at one place
	close()
}

// NewMDNS makes a source that also tells the LAN of h.
func NewMDNS(h host.Host, n protocols.Network) *MDNS {
	return &MDNS{host: h, network: n, open: openLAN}
}

// Name implements Source.
func (*MDNS) Name() string { return "mdns" }

// ServiceName is what nodes of a network are called on the LAN.
func ServiceName(n protocols.Network) string {
	if n == protocols.Main {
		return "_tom._udp"
	}
	return "_" + string(n) + "-tom._udp"
}

// Timing of mDNS. Who is new asks at once, and is answered by all; after that
// questions become rare.
const (
	firstQuery  = time.Second      // between the first two questions
	maxQuery    = 30 * time.Second // between any two
	answerEvery = time.Second      // on one interface; RFC 6762 section 6
	heardAtOnce = 64               // packets that wait to be read
)

var errNoMulticast = errors.New("no network interface with multicast")

// Run implements Source.
func (m *MDNS) Run(ctx context.Context, found func(peer.AddrInfo)) error {
	lan, err := m.open()
	if err != nil {
		return err
	}
	defer lan.close()
	zone := newZone(ServiceName(m.network), randomLabel())
	answered := make(map[int]time.Time) // by interface
	wait := firstQuery
	query := time.NewTimer(0)
	defer query.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-query.C:
			if lan.join() { // somewhere new
				wait = firstQuery
			}
			lan.sendAll(zone.query())
			query.Reset(wait/2 + rand.N(wait))
			wait = min(2*wait, maxQuery)
		case p := <-lan.packets():
			asked, peers := zone.read(p.bytes)
			for _, info := range peers {
				if info.ID != m.host.ID() { // the group hears itself
					m.near.put(info)
					found(info)
				}
			}
			if asked && time.Since(answered[p.iface]) >= answerEvery {
				answered[p.iface] = time.Now()
				lan.send(zone.answer(m.addrs()), p.iface)
			}
		}
	}
}

// Find implements Finder: it knows whom it has heard lately.
func (m *MDNS) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	return foundOrNot(m.near.get(id))
}

// addrs are those that mean something to others on the LAN, with our id.
func (m *MDNS) addrs() []string {
	all, err := m.host.Network().InterfaceListenAddresses()
	if err != nil {
		return nil
	}
	var texts []string
	for _, a := range all {
		if ofLAN(a) {
			texts = append(texts, a.String()+"/p2p/"+m.host.ID().String())
		}
	}
	return texts
}

// ofLAN leaves out this machine's own addresses, those that need to be told an
// interface, and what browsers use, which do not hear mDNS.
func ofLAN(a multiaddr.Multiaddr) bool {
	if identity.HereOnly(a) {
		return false
	}
	for _, c := range a {
		switch c.Protocol().Code {
		case multiaddr.P_CIRCUIT, multiaddr.P_WEBTRANSPORT, multiaddr.P_WEBRTC_DIRECT, multiaddr.P_WS, multiaddr.P_WSS:
			return false
		}
	}
	return true
}

// randomLabel names this run of this node on the LAN, and tells nothing else.
func randomLabel() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	label := make([]byte, 32)
	for i := range label {
		label[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(label)
}
