package discovery

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/presence"
)

func signerNo(n int) protocols.Signer {
	seed := bytes.Repeat([]byte{byte(n), byte(n >> 8)}, 16)
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(seed))
}

// said is a presence of a relay at an address.
func said(s protocols.Signer, made time.Time, addr string, roles ...uint8) []byte {
	p := presence.Presence{Made: uint64(made.UnixMilli()), Until: uint64(made.Add(time.Hour).UnixMilli())}
	for _, r := range roles {
		p.Roles = append(p.Roles, presence.Role{Role: r, Until: p.Until})
	}
	if addr != "" {
		p.Addrs = [][]byte{multiaddr.StringCast(addr).Bytes()}
	}
	return presence.Sign(s, p)
}

const somewhere = "/ip4/198.51.100.7/udp/4001/quic-v1"

func TestBookTakesTheNewestAndNotTooOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook(protocols.Main, signerNo(0).Public(), time.Now)
		bob := signerNo(1)
		take := func(raw []byte) verdict { _, v := b.take("neighbour", raw); return v }
		first := said(bob, time.Now(), somewhere, 1)
		broken := bytes.Clone(first)
		broken[len(broken)-1] ^= 1
		for _, c := range []struct {
			name string
			wait time.Duration
			raw  func() []byte
			want verdict
		}{
			{"nothing to revoke", 0, func() []byte { return said(bob, time.Now(), somewhere) }, idle},
			{"the first", 0, func() []byte { return first }, accepted},
			{"once more", 0, func() []byte { return first }, old},
			{"forged", 0, func() []byte { return broken }, forged},
			{"for another network", 0, func() []byte {
				return said(protocols.NewSigner("test", ed25519.NewKeyFromSeed(make([]byte, 32))), time.Now(), somewhere, 1)
			}, forged},
			{"too soon", time.Minute, func() []byte { return said(bob, time.Now(), somewhere, 1) }, often},
			{"from the past", 10 * time.Minute, func() []byte { return said(bob, time.Now().Add(-30*time.Minute), somewhere, 1) }, old},
			{"a newer one", 0, func() []byte { return said(bob, time.Now(), somewhere, 1, 2) }, accepted},
			{"from the future", 0, func() []byte { return said(bob, time.Now().Add(time.Hour), somewhere, 1) }, forged},
			{"over", 0, func() []byte { return said(bob, time.Now().Add(-time.Hour), somewhere, 1) }, forged},
			{"a revocation", 5 * time.Minute, func() []byte { return said(bob, time.Now(), somewhere) }, accepted},
			{"an older offer after it", 5 * time.Minute, func() []byte { return said(bob, time.Now().Add(-6*time.Minute), somewhere, 1) }, old},
			{"our own", 0, func() []byte { return said(signerNo(0), time.Now(), somewhere, 1) }, own},
		} {
			virtual.Pass(c.wait)
			if got := take(c.raw()); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		if n := len(b.offering(1)); n != 0 {
			t.Errorf("%d relays after the revocation", n)
		}
	})
}

func TestBookKeepsWhatFriendsTell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook(protocols.Main, signerNo(0).Public(), time.Now)
		bob, eve := signerNo(1), signerNo(2)
		friend := func(k protocols.Key) bool { return k != eve.Public() }
		const elsewhere = "/ip4/203.0.113.9/udp/4001/quic-v1"
		first := said(bob, time.Now(), somewhere)
		for _, c := range []struct {
			name string
			raw  []byte
			want verdict
		}{
			{"a friend", first, accepted},
			{"again", first, old},
			{"a stranger", said(eve, time.Now(), somewhere), idle},
			{"forged", first[:len(first)-1], forged},
			{"ourselves", said(signerNo(0), time.Now(), somewhere), own},
			{"a friend who moved", said(bob, time.Now().Add(time.Second), elsewhere), accepted},
		} {
			if _, got := b.tell("neighbour", c.raw, friend); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		if at := b.addrs(bob.Public()); len(at) != 1 || at[0].String() != elsewhere {
			t.Errorf("bob is at %v", at)
		}
		if b.size() != 0 || len(b.offering(1)) != 0 {
			t.Error("a friend offers a role")
		}
		virtual.Pass(2 * time.Second)
		if _, v := b.take("neighbour", said(bob, time.Now(), somewhere, 1)); v != accepted {
			t.Fatal(v)
		}
		if at := b.addrs(bob.Public()); len(at) != 1 || at[0].String() != somewhere {
			t.Errorf("what bob tells all is newer, and he is at %v", at)
		}
		for i := range 2 * maxTold {
			b.rates = map[peer.ID]*rate.Limiter{}
			b.tell("neighbour", said(signerNo(10+i), time.Now(), somewhere), friend)
		}
		if len(b.told) > maxTold {
			t.Errorf("%d friends", len(b.told))
		}
		virtual.Pass(2 * time.Hour)
		if at := b.addrs(bob.Public()); at != nil {
			t.Errorf("long over, and bob is at %v", at)
		}
	})
}

// ledger is the part of a host that keeps addresses.
type ledger struct {
	host.Host
	known peerstore.Peerstore
}

func (l ledger) Peerstore() peerstore.Peerstore { return l.known }
func (ledger) ID() peer.ID                      { return identity.PeerIDOf(signerNo(0).Public()) }

func TestWhatNeighboursTellOfThemselvesIsToldOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known, err := pstoremem.NewPeerstore()
		if err != nil {
			t.Fatal(err)
		}
		defer known.Close()
		me, bob, eve := signerNo(0), signerNo(1), signerNo(2)
		p := NewPresence(PresenceConfig{Host: ledger{known: known}, Signer: me})
		nobody := func(protocols.Key) bool { return false }
		at := func(k protocols.Key) string { return fmt.Sprint(known.Addrs(identity.PeerIDOf(k))) }
		const elsewhere, identified = "/ip4/203.0.113.9/udp/4001/quic-v1", "/ip4/192.0.2.1/udp/4001/quic-v1"
		known.AddAddr(identity.PeerIDOf(bob.Public()), multiaddr.StringCast(identified), peerstore.ConnectedAddrTTL)

		told := said(bob, time.Now(), somewhere)
		if of, ok := p.Told(bob.Public(), told, nobody); !ok || of != bob.Public() {
			t.Error("a stranger's own presence is refused")
		}
		if got := at(bob.Public()); !strings.Contains(got, somewhere) || !strings.Contains(got, identified) {
			t.Errorf("bob is at %s", got)
		}
		p.Told(bob.Public(), said(bob, time.Now().Add(time.Second), elsewhere), nobody)
		if got := at(bob.Public()); !strings.Contains(got, elsewhere) || strings.Contains(got, somewhere) || !strings.Contains(got, identified) {
			t.Errorf("bob has moved, and is at %s", got)
		}
		if p.Addrs(bob.Public()) != nil {
			t.Error("a stranger is kept as a friend is")
		}

		everybody := func(protocols.Key) bool { return true }
		p.Told(eve.Public(), said(bob, time.Now().Add(2*time.Second), somewhere), everybody)
		if got := at(bob.Public()); strings.Contains(got, somewhere) {
			t.Errorf("eve says where bob is: %s", got)
		}
		forged := said(eve, time.Now(), somewhere)
		forged[len(forged)-1] ^= 1
		if _, ok := p.Told(eve.Public(), forged, everybody); ok || at(eve.Public()) != "[]" {
			t.Errorf("forged, and taken: %s", at(eve.Public()))
		}

		virtual.Pass(toldLife + time.Minute)
		if got := at(bob.Public()); got != "["+identified+"]" {
			t.Errorf("long after, bob is at %s", got)
		}
	})
}

func TestBookIsBoundedAndDiverse(t *testing.T) {
	t.Parallel()
	b := newBook(protocols.Main, signerNo(0).Public(), time.Now)
	now := time.Now()
	take := func(n int, addr string) {
		t.Helper()
		// each from a neighbour of its own, and no bound on all: the bounds are another test's
		b.all.SetBurst(10_000)
		b.all.SetLimit(1e9)
		if _, v := b.take(peer.ID(fmt.Sprint(n)), said(signerNo(n), now, addr, 1)); v != accepted {
			t.Fatal(v)
		}
	}
	for i := range 100 {
		take(1+i, fmt.Sprintf("/ip4/10.0.%d.1/udp/1/quic-v1", i))
	}
	for i := range maxPresences + 200 {
		take(1000+i, somewhere)
	}
	if len(b.pages) != maxPresences {
		t.Errorf("%d presences", len(b.pages))
	}
	groups := map[netip.Prefix]int{}
	for _, pg := range b.pages {
		groups[pg.group]++
	}
	if len(groups) != 101 {
		t.Errorf("%d of 101 networks are left", len(groups))
	}
	if len(b.rates) > maxNeighbourRate {
		t.Errorf("the rates of %d neighbours are kept", len(b.rates))
	}
}

func TestBookContainsAFloodOfWellSignedJunk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook(protocols.Main, signerNo(0).Public(), time.Now)
		outcomes := map[verdict]int{}
		for range 2000 { // one origin
			virtual.Pass(time.Millisecond)
			_, v := b.take("evil", said(signerNo(1), time.Now(), somewhere, 1))
			outcomes[v]++
		}
		if outcomes[accepted] != 1 || outcomes[flood] < 2000-neighbourBurst-20 {
			t.Errorf("one origin: %v", outcomes)
		}
		clear(outcomes)
		for i := range 1000 { // many origins
			_, v := b.take("evil", said(signerNo(2+i), time.Now(), somewhere, 1))
			outcomes[v]++
		}
		if outcomes[accepted] > 5 {
			t.Errorf("many origins: %v", outcomes)
		}
		if _, v := b.take("honest", said(signerNo(5000), time.Now(), somewhere, 1)); v != accepted {
			t.Errorf("an honest neighbour's: %s", v)
		}
	})
}

func TestWhenPresenceIsSaid(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	relay, moved := []byte("relay"), []byte("relay elsewhere")
	a := announcer{spread: 0.5}
	if !a.due(at(0), nil, 100).IsZero() {
		t.Error("said though nothing is on offer")
	}
	if got := a.due(at(0), relay, 10); got != at(5*time.Minute) {
		t.Errorf("the first time at %v", got)
	}
	if got := a.due(at(time.Minute), relay, 75); got != at(15*time.Minute) {
		t.Errorf("the first time at %v while 75 do", got)
	}
	a.spoke(at(15*time.Minute), relay)
	if got := a.due(at(16*time.Minute), relay, 75); got != at(48*time.Minute) {
		t.Errorf("again at %v", got)
	}
	if got := a.due(at(16*time.Minute), relay, 5); got != at(26*time.Minute) {
		t.Errorf("again at %v while five do", got)
	}
	if got := a.due(at(16*time.Minute), moved, 75); got != at(20*time.Minute) {
		t.Errorf("a change at %v", got)
	}
	if got := a.due(at(16*time.Minute), nil, 75); got != at(20*time.Minute) {
		t.Errorf("a revocation at %v", got)
	}
	a.spoke(at(20*time.Minute), nil)
	if !a.due(at(time.Hour), nil, 75).IsZero() {
		t.Error("a revocation is said again")
	}
	if got := a.due(at(time.Hour), relay, 75); got != at(25*time.Minute) {
		t.Errorf("on offer again at %v", got)
	}
}

// presenceNode is a host with presence.
type presenceNode struct {
	host.Host
	*Presence
	roles atomic.Pointer[[]uint8]
}

func (s *sim) presenceNode(n int, roles ...uint8) *presenceNode {
	p := &presenceNode{Host: s.host(n)}
	p.roles.Store(&roles)
	p.Presence = NewPresence(PresenceConfig{
		Host: p.Host, Signer: signerOf(s.t, p.Host),
		Offer: func() Offer { return Offer{Roles: *p.roles.Load(), Addrs: p.Host.Addrs()} },
	})
	s.runs(p.Presence)
	return p
}

// ring is a network in which each knows a few others only.
func (s *sim) ring(n int, role func(i int) []uint8) []*presenceNode {
	all := s.presences(n, role)
	for i := range all {
		for _, step := range []int{1, 2, 5} {
			s.connect(all[i].Host, all[(i+step)%n].Host)
		}
	}
	return all
}

func TestPresenceOfThoseWithARoleReachesAllAndCanBeRevoked(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.ring(20, func(i int) []uint8 {
			if i%4 == 0 {
				return []uint8{1}
			}
			return nil
		})
		virtual.Pass(presenceLeast + time.Minute)
		for i, p := range all {
			want := 5
			if i%4 == 0 {
				want-- // not itself
			}
			if got := p.Offering(1); len(got) != want {
				t.Errorf("%d knows %d relays, want %d", i, len(got), want)
			}
			if addrs, err := p.Find(t.Context(), all[(i/4*4+4)%20].Host.ID()); err != nil || !addrs[0].Equal(all[(i/4*4+4)%20].Host.Addrs()[0]) {
				t.Errorf("%d finds a relay at %v, %v", i, addrs, err)
			}
			if _, err := p.Find(t.Context(), all[(i/4*4+1)%20].Host.ID()); !errors.Is(err, ErrNotFound) {
				t.Errorf("%d heard of one without a role: %v", i, err)
			}
		}
		all[8].roles.Store(new([]uint8))
		virtual.Pass(presenceChange + time.Minute)
		if got := all[1].Offering(1); len(got) != 4 {
			t.Errorf("%d relays after one has revoked", len(got))
		}
		all[4].Host.Close() // vanishes without a word
		virtual.Pass((presenceLives + 1) * presenceLeast)
		if got := all[1].Offering(1); len(got) != 3 {
			t.Errorf("%d relays after one has vanished", len(got))
		}
	})
}

// presences is how many presences a node hears between two times after n nodes
// that all offer a role were switched on at once.
func presences(n int, from, to time.Duration, seed uint64) (heard int) {
	rng := rand.New(rand.NewPCG(seed, 0))
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	all, spoken := make([]announcer, n), make(map[int]bool)
	for i := range all {
		all[i].spread = rng.Float64()
	}
	what := []byte("relay")
	for t := time.Duration(0); t < to; t += lookAgain {
		for i := range all {
			if all[i].due(start.Add(t), what, len(spoken)).After(start.Add(t)) {
				continue
			}
			all[i].spoke(start.Add(t), what)
			spoken[i] = true
			if t >= from {
				heard++
			}
		}
	}
	return heard
}

// What was measured with real hosts: 43.2 kB of presences a node in the first
// half hour among 100, 44.0 kB among 300.
func TestPresenceTrafficDoesNotGrowWithTheNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to time.Duration
		sizes    []int
	}{
		{0, 30 * time.Minute, []int{75}},
		{2 * time.Hour, 24 * time.Hour, []int{75, 250, 1000}},
	} {
		const runs = 5
		count := func(n int) (sum int) {
			for seed := range uint64(runs) {
				sum += presences(n, c.from, c.to, seed)
			}
			return sum / runs
		}
		small := count(25)
		for _, n := range c.sizes {
			large := count(n)
			t.Logf("from %v to %v: %d among 25, %d among %d", c.from, c.to, small, large, n)
			if small == 0 || float64(large) > 1.2*float64(small) {
				t.Errorf("%d presences among 25, %d among %d", small, large, n)
			}
		}
	}
}
