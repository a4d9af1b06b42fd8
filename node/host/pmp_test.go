package host

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
)

// pmpHome is a home whose router maps ports, to those a thousand higher.
type pmpHome struct {
	outside [4]byte
	err     error // the router answers nothing else
	listen  []multiaddr.Multiaddr
	most    int             // seconds for which the router maps; 0: as long as it is asked to
	mapped  map[pmpPort]int // for so many seconds
	asked   int
}

func (h *pmpHome) router(time.Duration) (pmpRouter, error) { return h, nil }

func (h *pmpHome) listening() []multiaddr.Multiaddr { return h.listen }

func (h *pmpHome) GetExternalAddress() (*natpmp.GetExternalAddressResult, error) {
	h.asked++
	return &natpmp.GetExternalAddressResult{ExternalIPAddress: h.outside}, h.err
}

func (h *pmpHome) AddPortMapping(protocol string, inside, outside, life int) (*natpmp.AddPortMappingResult, error) {
	if h.err != nil {
		return nil, h.err
	}
	port := pmpPort{protocol, inside}
	if life == 0 {
		delete(h.mapped, port)
		return &natpmp.AddPortMappingResult{InternalPort: uint16(inside)}, nil
	}
	if h.most > 0 {
		life = min(life, h.most)
	}
	h.mapped[port] = life
	return &natpmp.AddPortMappingResult{
		InternalPort: uint16(inside), MappedExternalPort: uint16(outside + 1000), PortMappingLifetimeInSeconds: uint32(life),
	}, nil
}

func addrsOf(texts ...string) (all []multiaddr.Multiaddr) {
	for _, text := range texts {
		all = append(all, multiaddr.StringCast(text))
	}
	return all
}

// inHome runs a test of what asks a home's router, in virtual time.
func inHome(t *testing.T, outside [4]byte, f func(t *testing.T, h *pmpHome, p *pmp)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &pmpHome{outside: outside, mapped: make(map[pmpPort]int)}
		p := startPMP(h.listening, h.router)
		defer p.Close()
		synctest.Wait() // it has looked, and nobody listens yet
		f(t, h, p)
	})
}

func leadsTo(t *testing.T, p *pmp, want map[string]string) {
	t.Helper()
	for listen, outside := range want {
		got := ""
		if m := p.mapping(multiaddr.StringCast(listen)); m != nil {
			got = m.String()
		}
		if got != outside {
			t.Errorf("to %s leads %q, want %q", listen, got, outside)
		}
	}
}

func TestPortsThatAreListenedOnAreMapped(t *testing.T) {
	inHome(t, [4]byte{2, 0, 0, 1}, func(t *testing.T, h *pmpHome, p *pmp) {
		virtual.Pass(time.Minute)
		if h.asked != 0 {
			t.Error("a router is asked for no ports")
		}
		h.listen = addrsOf("/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/udp/4001/quic-v1/webtransport", "/ip4/192.168.1.10/tcp/4002",
			"/ip4/127.0.0.1/tcp/4003", "/ip6/::/udp/4004/quic-v1", "/p2p-circuit", "/memory/5")
		virtual.Pass(2 * pmpListen)
		if want := map[pmpPort]int{{"udp", 4001}: 3600, {"tcp", 4002}: 3600}; !maps.Equal(h.mapped, want) {
			t.Errorf("mapped %v, want %v", h.mapped, want)
		}
		leadsTo(t, p, map[string]string{
			"/ip4/0.0.0.0/udp/4001/quic-v1":              "/ip4/2.0.0.1/udp/5001/quic-v1",
			"/ip4/0.0.0.0/udp/4001/quic-v1/webtransport": "/ip4/2.0.0.1/udp/5001/quic-v1/webtransport",
			"/ip4/192.168.1.10/tcp/4002":                 "/ip4/2.0.0.1/tcp/5002",
			"/ip4/127.0.0.1/tcp/4003":                    "",
			"/ip6/::/udp/4004/quic-v1":                   "",
			"/ip4/0.0.0.0/udp/4009/quic-v1":              "",
			"/p2p-circuit":                               "",
		})
		if !p.found() {
			t.Error("no router is found")
		}
	})
}

func TestMappingsAreRenewedAndEnd(t *testing.T) {
	inHome(t, [4]byte{2, 0, 0, 1}, func(t *testing.T, h *pmpHome, p *pmp) {
		const quic, outside = "/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/2.0.0.1/udp/5001/quic-v1"
		h.listen = addrsOf(quic)
		virtual.Pass(24 * time.Hour)
		leadsTo(t, p, map[string]string{quic: outside})
		h.outside = [4]byte{2, 0, 0, 2} // the provider gave another address
		virtual.Pass(pmpRenewal)
		leadsTo(t, p, map[string]string{quic: "/ip4/2.0.0.2/udp/5001/quic-v1"})
		h.err = errors.New("no answer")
		virtual.Pass(pmpLife - pmpRenewal - time.Second)
		leadsTo(t, p, map[string]string{quic: "/ip4/2.0.0.2/udp/5001/quic-v1"})
		virtual.Pass(pmpRenewal + 2*time.Second)
		leadsTo(t, p, map[string]string{quic: ""})
		h.err = nil
		virtual.Pass(pmpRenewal)
		leadsTo(t, p, map[string]string{quic: "/ip4/2.0.0.2/udp/5001/quic-v1"})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		leadsTo(t, p, map[string]string{quic: ""})
		if len(h.mapped) > 0 {
			t.Errorf("ports are not given back: %v", h.mapped)
		}
	})
}

// RFC 6886 lets a router map for shorter than it is asked to.
func TestMappingsAreRenewedBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	for seconds, each := range map[int]time.Duration{7200: pmpRenewal, 120: time.Minute, 61: pmpSoonest + time.Second/2, 1: pmpSoonest} {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			inHome(t, [4]byte{2, 0, 0, 1}, func(t *testing.T, h *pmpHome, p *pmp) {
				h.listen, h.most = addrsOf("/ip4/0.0.0.0/udp/4001/quic-v1"), seconds
				virtual.Pass(2 * pmpListen)
				for range 100 {
					if seconds > 60 {
						leadsTo(t, p, map[string]string{"/ip4/0.0.0.0/udp/4001/quic-v1": "/ip4/2.0.0.1/udp/5001/quic-v1"})
					}
					virtual.Pass(each)
				}
				if h.asked < 100 || h.asked > 102 {
					t.Errorf("the router was asked %d times in 100 of %v", h.asked, each)
				}
			})
		})
	}
}

// Such a router is behind another one, or nobody knows what it says.
func TestMappedPortsOfNoPublicAddressLeadNowhere(t *testing.T) {
	t.Parallel()
	for _, outside := range [][4]byte{{192, 168, 0, 2}, {100, 64, 0, 3}, {0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}} {
		t.Run("", func(t *testing.T) {
			inHome(t, outside, func(t *testing.T, h *pmpHome, p *pmp) {
				h.listen = addrsOf("/ip4/0.0.0.0/udp/4001/quic-v1")
				virtual.Pass(time.Minute)
				leadsTo(t, p, map[string]string{"/ip4/0.0.0.0/udp/4001/quic-v1": ""})
			})
		})
	}
}
