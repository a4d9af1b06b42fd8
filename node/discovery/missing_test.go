package discovery

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// ways are the sources by which two nodes can meet.
var ways = []string{"cache", "bootstrap", "rendezvous", "mdns", "dht", "presence", "addressbook"}

// seeker is a node with some of the sources, all of which know of another.
type seeker struct {
	host.Host
	*Service
}

// home is where two nodes are neighbours already.
type home struct {
	folder string
	lan    *ether
}

func homeOf(t *testing.T) home { return home{filepath.Join(t.TempDir(), "tom"), new(ether)} }

func (s *sim) seeker(n int, other, hub host.Host, home home, have []string) *seeker {
	s.t.Helper()
	k := &seeker{Host: s.host(n)}
	sources := map[string]func() Source{
		"cache": func() Source {
			c, err := OpenCache("")
			if err != nil {
				s.t.Fatal(err)
			}
			if other != nil {
				c.Met(infoOf(other), time.Now(), false)
			}
			return c
		},
		"bootstrap": func() Source {
			if other == nil {
				return Bootstrap{}
			}
			return Bootstrap{infoOf(other)}
		},
		"rendezvous": func() Source { return NewRendezvous(home.folder, func() peer.AddrInfo { return infoOf(k.Host) }) },
		"mdns": func() Source {
			m := NewMDNS(k.Host, protocols.Main)
			m.open = home.lan.open
			return m
		},
		"dht": func() Source { return NewDHT(DHTConfig{Host: k.Host, Local: true}) },
		"presence": func() Source {
			return NewPresence(PresenceConfig{
				Host: k.Host, Signer: signerOf(s.t, k.Host),
				Offer: func() Offer { return Offer{Roles: []uint8{1}, Addrs: k.Addrs()} },
			})
		},
		"addressbook": func() Source {
			return AddressBook(func(id peer.ID) []multiaddr.Multiaddr {
				if other != nil && id == other.ID() {
					return other.Addrs()
				}
				return nil
			})
		},
	}
	var all []Source
	for _, name := range have {
		all = append(all, sources[name]())
	}
	k.Service = New(Config{
		Self: k.ID(), Sources: all, Connect: k.Connect,
		Connected: func(id peer.ID) bool { return k.Network().Connectedness(id) == network.Connected },
		Count:     func() int { return len(k.Network().Peers()) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = k.Run(ctx) })
	s.t.Cleanup(func() { cancel(); done.Wait() })
	if slices.Contains(have, "dht") || slices.Contains(have, "presence") {
		s.connect(k.Host, hub)
	}
	return k
}

// meets says that the sources lead from one to the other.
func (k *seeker) meets(ctx context.Context, other host.Host) bool {
	if k.Network().Connectedness(other.ID()) == network.Connected {
		return true
	}
	for a := range k.Find(ctx, other.ID()) {
		if a.Err == nil && k.Connect(ctx, peer.AddrInfo{ID: other.ID(), Addrs: a.Addrs}) == nil {
			return true
		}
	}
	return false
}

func TestTwoNodesMeetWithoutAnyOfTheSources(t *testing.T) {
	cases := map[string][]string{}
	for i, missing := range ways {
		cases["all but "+missing] = slices.Delete(slices.Clone(ways), i, i+1)
		cases[missing+" alone"] = []string{missing}
	}
	for name, have := range cases {
		t.Run(name, func(t *testing.T) {
			inSim(t, func(t *testing.T, s *sim) {
				home := homeOf(t)
				hub := s.host(1)
				s.runs(NewDHT(DHTConfig{Host: hub, Local: true}))
				s.runs(NewPresence(PresenceConfig{Host: hub, Signer: signerOf(t, hub)}))
				bob := s.seeker(2, nil, hub, home, have)
				alice := s.seeker(3, bob.Host, hub, home, have)
				virtual.Pass(presenceLeast + time.Minute)
				if !alice.meets(t.Context(), bob.Host) {
					t.Error("they do not meet")
				}
			})
		})
	}
	t.Run("none", func(t *testing.T) {
		inSim(t, func(t *testing.T, s *sim) {
			hub, home := s.host(1), homeOf(t)
			bob := s.seeker(2, nil, hub, home, nil)
			alice := s.seeker(3, bob.Host, hub, home, nil)
			virtual.Pass(time.Minute)
			if alice.meets(t.Context(), bob.Host) {
				t.Error("they meet by nothing")
			}
		})
	})
}

func TestSomeoneNewKnowsTheRelaysWithinSeconds(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(6)
		for i := range 3 {
			s.connect(s.dhtNode(6+i, 1).Host, all[i].Host)
		}
		virtual.Pass(2 * time.Minute)
		newcomer := s.dhtNode(9)
		s.connect(newcomer.Host, all[5].Host)
		begun := time.Now()
		for len(newcomer.Offering(1)) < 3 {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("after %v it knows of %d relays", time.Since(begun), len(newcomer.Offering(1)))
			}
			virtual.Pass(100 * time.Millisecond)
		}
		t.Logf("three relays known %v after the first connection", time.Since(begun))
	})
}

func TestOfferingListsEachOnceInTheOrderOfSources(t *testing.T) {
	t.Parallel()
	a, b, me := somebody(t, "/ip4/192.0.2.1/tcp/1"), somebody(t, "/ip4/192.0.2.2/tcp/1"), somebody(t, "/ip4/192.0.2.3/tcp/1")
	cache, err := OpenCache("")
	if err != nil {
		t.Fatal(err)
	}
	cache.Met(b, time.Now(), false, 1)
	cache.Met(a, time.Now().Add(-time.Hour), false, 1, 2)
	near := Neighbours(func(role uint8) []peer.AddrInfo {
		if role == 1 {
			return []peer.AddrInfo{me, a, {ID: somebody(t).ID}}
		}
		return nil
	})
	s := New(newTown().config(me.ID, near, Bootstrap{b}, cache))
	ids := func(role uint8, n int) (ids []peer.ID) {
		for _, info := range s.Offering(role, n) {
			ids = append(ids, info.ID)
		}
		return ids
	}
	if got := ids(1, 5); !slices.Equal(got, []peer.ID{a.ID, b.ID}) {
		t.Errorf("relays %v", got)
	}
	if got := ids(1, 1); !slices.Equal(got, []peer.ID{a.ID}) {
		t.Errorf("one relay %v", got)
	}
	if got := ids(2, 5); !slices.Equal(got, []peer.ID{a.ID}) {
		t.Errorf("backups %v", got)
	}
}

// A stranger that relays stays longer in the cache than strangers that do not.
func TestCacheKeepsThoseWithARole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "peers.json")
	c, err := OpenCache(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	relay := somebody(t, "/ip4/192.0.2.1/tcp/1")
	c.Met(relay, now.Add(-time.Hour), false, 1)
	for range 2 * maxCached {
		c.Met(somebody(t, "/ip4/192.0.2.2/tcp/1"), now, false)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil {
		t.Fatal(err)
	}
	if got := c.Offering(1); len(got) != 1 || got[0].ID != relay.ID {
		t.Errorf("relays in the cache: %v", got)
	}
}

// signerOf signs as a host.
func signerOf(t *testing.T, h host.Host) protocols.Signer {
	t.Helper()
	raw, err := h.Peerstore().PrivKey(h.ID()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	return protocols.NewSigner(protocols.Main, raw)
}
