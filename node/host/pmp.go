package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
	"github.com/libp2p/go-netroute"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Timing of NAT-PMP.
const (
	pmpLife     = time.Hour              // for which a router is asked to map a port
	pmpRenewal  = 10 * time.Minute       // between two times at most; routers restart, and this host goes elsewhere
	pmpSoonest  = 30 * time.Second       // at least, however short the router maps
	pmpListen   = time.Second            // between looks whether anybody listens yet
	pmpAnswer   = 2 * time.Second        // that a router has for an answer
	pmpFarewell = 200 * time.Millisecond // same, when the host closes
)

// pmp has the router map the ports that a host listens on, by NAT-PMP (RFC
// 6886). libp2p would do so too, but on Linux it does not find the router: it asks
// for the route to 0.0.0.0, which go-netroute 0.4 refuses.
type pmp struct {
	listen func() []multiaddr.Multiaddr
	router func(patience time.Duration) (pmpRouter, error)
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	mapped map[pmpPort]pmpMapping
}

// pmpPort is a port of this host.
type pmpPort struct {
	protocol string // udp or tcp
	number   int
}

// pmpMapping is what the router made of it.
type pmpMapping struct {
	outside netip.AddrPort
	until   time.Time
}

// pmpRouter is a router that can be asked. What it says is a claim: others try the
// address before it counts for anything.
type pmpRouter interface {
	GetExternalAddress() (*natpmp.GetExternalAddressResult, error)
	AddPortMapping(protocol string, inside, outside, lifetime int) (*natpmp.AddPortMappingResult, error)
}

func startPMP(listen func() []multiaddr.Multiaddr, router func(time.Duration) (pmpRouter, error)) *pmp {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pmp{listen: listen, router: router, cancel: cancel, ended: make(chan struct{}), mapped: make(map[pmpPort]pmpMapping)}
	go p.run(ctx)
	return p
}

// Close gives the ports back.
func (p *pmp) Close() error {
	p.cancel()
	<-p.ended
	return nil
}

func (p *pmp) run(ctx context.Context) {
	defer close(p.ended)
	wake := time.NewTimer(0)
	defer wake.Stop()
	for {
		select {
		case <-ctx.Done():
			p.giveBack()
			return
		case <-wake.C:
		}
		ports := p.ports()
		if len(ports) == 0 {
			wake.Reset(pmpListen)
			continue
		}
		_ = p.ask(ctx, ports) // most routers do not answer, or there is none
		wake.Reset(p.pause())
	}
}

// pause is how long not to ask again: until half of what is left of a mapping has
// passed, as RFC 6886 has it, for routers map for shorter than they are asked to.
func (p *pmp) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	pause := pmpRenewal
	for _, m := range p.mapped {
		if left := time.Until(m.until); left > 0 {
			pause = min(pause, max(left/2, pmpSoonest))
		}
	}
	return pause
}

// ports are those that are listened on for others.
func (p *pmp) ports() (all []pmpPort) {
	seen := make(map[pmpPort]bool)
	for _, a := range p.listen() {
		if port, _, ok := pmpPortOf(a); ok && !seen[port] {
			seen[port] = true
			all = append(all, port)
		}
	}
	return all
}

// ask has all ports mapped, or mapped for longer.
func (p *pmp) ask(ctx context.Context, ports []pmpPort) error {
	r, err := p.router(pmpAnswer)
	if err != nil {
		return err
	}
	said, err := r.GetExternalAddress()
	if err != nil {
		return fmt.Errorf("ask for the address outside: %w", err)
	}
	outside := netip.AddrFrom4(said.ExternalIPAddress)
	for _, port := range ports {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m, err := r.AddPortMapping(port.protocol, port.number, port.number, int(pmpLife/time.Second))
		if err != nil {
			return fmt.Errorf("ask for a port: %w", err)
		}
		p.note(port, netip.AddrPortFrom(outside, m.MappedExternalPort), time.Duration(m.PortMappingLifetimeInSeconds)*time.Second)
	}
	return nil
}

func (p *pmp) note(port pmpPort, outside netip.AddrPort, life time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mapped[port] = pmpMapping{outside, time.Now().Add(life)}
}

// giveBack has the router forget the ports, if it listens still.
func (p *pmp) giveBack() {
	p.mu.Lock()
	mapped := p.mapped
	p.mapped = nil
	p.mu.Unlock()
	if len(mapped) == 0 {
		return
	}
	r, err := p.router(pmpFarewell)
	for port := range mapped {
		if err == nil {
			_, err = r.AddPortMapping(port.protocol, port.number, 0, 0)
		}
	}
}

// found says that a router has given a port.
func (p *pmp) found() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mapped) > 0
}

// mapping is the address outside that leads to one that is listened on, nil if none
// does.
func (p *pmp) mapping(a multiaddr.Multiaddr) multiaddr.Multiaddr {
	port, rest, ok := pmpPortOf(a)
	if !ok {
		return nil
	}
	p.mu.Lock()
	m, ok := p.mapped[port]
	p.mu.Unlock()
	if !ok || m.outside.Port() == 0 || !time.Now().Before(m.until) {
		return nil
	}
	outside, err := multiaddr.NewMultiaddr(fmt.Sprintf("/ip4/%s/%s/%d", m.outside.Addr(), port.protocol, m.outside.Port()))
	if err != nil || !manet.IsPublicAddr(outside) {
		return nil // behind another router
	}
	return outside.Encapsulate(rest)
}

// pmpPortOf is the port in an address that others can be led to, and what follows.
func pmpPortOf(a multiaddr.Multiaddr) (port pmpPort, rest multiaddr.Multiaddr, ok bool) {
	ip, err := manet.ToIP(a)
	if err != nil || ip.To4() == nil || !ip.IsGlobalUnicast() && !ip.IsUnspecified() {
		return port, nil, false
	}
	_, rest = multiaddr.SplitFirst(a)
	transport, rest := multiaddr.SplitFirst(rest)
	if transport == nil || transport.Code() != multiaddr.P_UDP && transport.Code() != multiaddr.P_TCP {
		return port, nil, false
	}
	number, err := strconv.Atoi(transport.Value())
	return pmpPort{transport.Protocol().Name, number}, rest, err == nil && number > 0
}

var errNoGateway = errors.New("no gateway")

// defaultGateway is the router by which this machine reaches the rest of the world,
// as a packet to anywhere would go; none is sent.
func defaultGateway(patience time.Duration) (pmpRouter, error) {
	table, err := netroute.New()
	if err != nil {
		return nil, err
	}
	_, gateway, _, err := table.Route(net.IPv4(192, 88, 99, 1))
	if err != nil {
		return nil, err
	}
	if gateway == nil {
		return nil, errNoGateway
	}
	return natpmp.NewClientWithTimeout(gateway, patience), nil
}
