package reach_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/test"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/reach"
)

func TestReservationStandsAtOnce(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(2)
		virtual.Pass(time.Second)
		m := in.place("10.1.0.2", in.Router("2.0.0.1"), reach.Config{Relays: known(relays)})
		begun := time.Now()
		m.circuits(2 * time.Second)
		// a handshake, identify, and the reservation itself: five round trips
		if took := time.Since(begun); took > 11*hop {
			t.Errorf("reserved after %v", took)
		}
	})
}

// Circuits to a peer are set up one after another, those of relays that nobody
// answers at too.
func TestRelaysThatAreConnectedAreDialledBeforeDeadOnes(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(1)
		far := in.place("10.1.0.2", in.Router("2.0.0.1"), reach.Config{Relays: known(relays)})
		near := in.place("10.2.0.2", in.Router("2.0.0.2"), reach.Config{})
		in.Router("1.0.0.0") // which lets nothing in; addresses are sorted, so it comes first
		var addrs []multiaddr.Multiaddr
		for i := range 12 {
			addrs = append(addrs, multiaddr.StringCast(fmt.Sprintf("/ip4/1.0.0.0/udp/%d/quic-v1/p2p/%s/p2p-circuit", i+1, test.RandPeerIDFatal(t))))
		}
		if err := near.Connect(t.Context(), relays[0]); err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, far.circuits(2*time.Second)...)
		begun := time.Now()
		near.dialAt(far, addrs)
		if took := time.Since(begun); took > 20*hop {
			t.Errorf("there after %v", took)
		}
	})
}

// One by TCP is enough, until it is known that none came of it.
func TestTheSecondPublicPeerIsDialledByTCP(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		m, open := in.place("10.1.0.2", in.Router("2.0.0.1"), reach.Config{}), in.publics(1)[0]
		asked := func(m *machine, want ...bool) {
			t.Helper()
			for i, first := range want {
				if m.TCPFirst() != first {
					t.Errorf("ask %d: %v", i+1, !first)
				}
			}
		}
		asked(m, false, true, false)
		virtual.Pass(time.Second)
		asked(m, false, true, false)
		if err := m.Connect(t.Context(), open); err != nil {
			t.Fatal(err)
		}
		asked(m, true, true) // all see its UDP alone
		asked(in.place("1.0.0.9", nil, reach.Config{Vouch: reach.Public}), false, false, false)
	})
}

func TestPathsBetweenNATs(t *testing.T) {
	type side struct{ public, symmetric, full, byAddress bool }
	var (
		open = side{public: true}
		cone = side{}
		full = side{full: true}
		addr = side{byAddress: true}
		sym  = side{symmetric: true}
	)
	for name, c := range map[string]struct {
		from, to side
		direct   time.Duration // at most; zero: stays relayed
	}{
		"cone to cone":                    {cone, cone, 600 * time.Millisecond},
		"open to cone":                    {open, cone, 600 * time.Millisecond},
		"full cone to symmetric":          {full, sym, 600 * time.Millisecond},
		"symmetric to full cone":          {sym, full, 600 * time.Millisecond},
		"address-restricted to symmetric": {addr, sym, 600 * time.Millisecond},
		"symmetric to address-restricted": {sym, addr, 600 * time.Millisecond},
		"cone to symmetric":               {cone, sym, 0},
		"symmetric to symmetric":          {sym, sym, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onInternet(t, func(t *testing.T, in *internet) {
				relays := in.publics(2)
				virtual.Pass(time.Second)
				machine := func(s side, ip, outside string) *machine {
					if s.public {
						return in.place(outside, nil, reach.Config{Relays: known(relays)})
					}
					r := in.Router(outside)
					r.Symmetric, r.Full, r.ByAddress = s.symmetric, s.full, s.byAddress
					return in.place(ip, r, reach.Config{Relays: known(relays)})
				}
				a, b := machine(c.from, "10.1.0.2", "2.0.0.1"), machine(c.to, "10.2.0.2", "2.0.0.2")
				b.circuits(time.Second)
				virtual.Pass(10 * time.Second) // libp2p tells what it has learnt of itself after up to five
				begun := time.Now()
				a.dial(b)
				if took := time.Since(begun); took > 600*time.Millisecond {
					t.Errorf("connected after %v", took)
				}
				took := a.direct(b, 20*time.Second)
				switch {
				case c.direct == 0 && took != 0:
					t.Errorf("direct after %v: this NAT is none", took)
				case c.direct != 0 && (took == 0 || took > c.direct):
					t.Errorf("direct after %v, want at most %v", took, c.direct)
				}
				t.Logf("connected and direct after %v", took)
			})
		})
	}
}

func TestVerdictsOfPeers(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(4)
		virtual.Pass(time.Second)
		symmetric := in.Router("2.0.0.2")
		symmetric.Symmetric = true
		fullCone, restricted := in.Router("2.0.0.1"), in.Router("2.0.0.4")
		fullCone.Full, restricted.ByAddress = true, true
		for name, c := range map[string]struct {
			ip     string
			behind *simnat.Router
			vouch  reach.Vouch
			public bool
			nat    reach.NAT
		}{
			"open":       {"3.0.0.1", nil, "", true, reach.NAT{Mapping: reach.MappingNone, Filtering: reach.FilteringNone}},
			"full cone":  {"10.1.0.2", fullCone, "", true, reach.NAT{Mapping: reach.MappingIndependent, Filtering: reach.FilteringNone}},
			"cone":       {"10.2.0.2", in.Router("2.0.0.3"), "", false, reach.NAT{Mapping: reach.MappingIndependent, Filtering: reach.FilteringDependent}},
			"restricted": {"10.4.0.2", restricted, "", false, reach.NAT{Mapping: reach.MappingIndependent, Filtering: reach.FilteringUnknown}},
			"symmetric":  {"10.3.0.2", symmetric, "", false, reach.NAT{Mapping: reach.MappingDependent, Filtering: reach.FilteringUnknown}},
			"vouched":    {"3.0.0.4", nil, reach.Private, false, reach.NAT{Mapping: reach.MappingNone, Filtering: reach.FilteringNone}},
		} {
			m := in.place(c.ip, c.behind, reach.Config{Relays: known(relays), Vouch: c.vouch, Wanted: 2})
			changed := m.Changed()
			for _, r := range relays {
				if err := m.Connect(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			for range 600 { // a minute
				virtual.Pass(100 * time.Millisecond)
				if a := m.deadAddr(); a != nil && c.behind != nil {
					t.Fatalf("%s advertises %s beside a circuit", name, a)
				}
			}
			if c.behind == fullCone {
				if m.Public() {
					t.Errorf("%s: public by the word of those it has spoken to", name)
				}
				if said := fmt.Sprint(m.Report().Advice); !strings.Contains(said, "until a stranger comes") {
					t.Errorf("%s: advice %s", name, said)
				}
				virtual.Pass(4 * time.Minute) // or it might come through a hole
				stranger := in.place("3.0.0.9", nil, reach.Config{})
				stranger.dialAt(m, []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/2.0.0.1/udp/4001/quic-v1")})
				virtual.Pass(time.Second)
			}
			r := m.Report()
			if m.Public() != c.public || (r.Reachability == "public") != c.public {
				t.Errorf("%s: public is %v, %s", name, m.Public(), r.Reachability)
			}
			if told(changed) != c.public {
				t.Errorf("%s: a change was told: %v", name, !c.public)
			}
			if r.UDP != c.nat {
				t.Errorf("%s: NAT %+v, want %+v", name, r.UDP, c.nat)
			}
			if !c.public && (len(r.Relays) != 2 || len(r.Advice) == 0) {
				t.Errorf("%s: %d relays and %d pieces of advice", name, len(r.Relays), len(r.Advice))
			}
			for _, a := range m.Addrs() {
				dead := !throughRelay(a) && strings.HasPrefix(a.String(), "/ip4/2.")
				if dead && !c.public || throughRelay(a) && c.public {
					t.Errorf("%s advertises %s", name, a)
				}
			}
		}
	})
}

// deadAddr is an address at the outside of a router that m tells others beside a
// circuit, nil if it tells none.
func (m *machine) deadAddr() multiaddr.Multiaddr {
	addrs := m.Peerstore().Addrs(m.ID()) // of the record that identify signs
	dead := slices.IndexFunc(addrs, func(a multiaddr.Multiaddr) bool {
		return !throughRelay(a) && strings.HasPrefix(a.String(), "/ip4/2.")
	})
	if dead < 0 || !slices.ContainsFunc(addrs, throughRelay) {
		return nil
	}
	return addrs[dead]
}

func told(changed <-chan struct{}) bool {
	select {
	case <-changed:
		return true
	default:
		return false
	}
}

func TestTwoInOneLANMeetThere(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(2)
		virtual.Pass(time.Second)
		home := in.Router("2.0.0.1") // without hairpin
		a := in.place("10.1.0.2", home, reach.Config{Relays: known(relays)})
		b := in.place("10.1.0.3", home, reach.Config{Relays: known(relays)})
		circuits := b.circuits(time.Second)
		virtual.Pass(2 * time.Second)
		a.dialAt(b, circuits) // as a contact link has it
		took := a.direct(b, 5*time.Second)
		if took == 0 || took > 600*time.Millisecond {
			t.Fatalf("direct after %v", took)
		}
		for _, c := range a.Network().ConnsToPeer(b.ID()) {
			if at := c.RemoteMultiaddr().String(); !throughRelay(c.RemoteMultiaddr()) && !strings.HasPrefix(at, "/ip4/10.1.0.") {
				t.Errorf("connected by %s", at)
			}
		}
	})
}

func TestHolesArePunchedAgainLater(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(2)
		virtual.Pass(time.Second)
		ra, rb := in.Router("2.0.0.1"), in.Router("2.0.0.2")
		a := in.place("10.1.0.2", ra, reach.Config{Relays: known(relays)})
		b := in.place("10.2.0.2", rb, reach.Config{Relays: known(relays)})
		b.circuits(time.Second)
		virtual.Pass(2 * time.Second)
		ra.Hears = "1.0.0."
		ra.Deaf.Store(true)
		a.dial(b)
		if took := a.direct(b, 9*time.Second); took != 0 {
			t.Fatalf("direct after %v through a deaf router", took)
		}
		virtual.Pass(15 * time.Second)
		ra.Deaf.Store(false)
		if took := a.direct(b, 2*time.Minute); took == 0 {
			t.Error("never tried again")
		}
	})
}

func TestAfterAMoveTheConversationGoesOn(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(3)
		virtual.Pass(time.Second)
		var at atomic.Pointer[netip.Addr]
		put := func(s string) { a := netip.MustParseAddr(s); at.Store(&a) }
		put("10.1.0.2")
		a := in.place("10.1.0.2", in.Router("2.0.0.1"), reach.Config{
			Relays: known(relays), Uplink: func() reach.Uplink { return reach.Uplink{V4: *at.Load()} },
		})
		b := in.place("10.2.0.2", in.Router("2.0.0.2"), reach.Config{Relays: known(relays)})
		a.circuits(time.Second)
		b.circuits(time.Second)
		virtual.Pass(2 * time.Second)
		a.dial(b)
		if a.direct(b, 5*time.Second) == 0 {
			t.Fatal("no direct path before the move")
		}
		virtual.Pass(5 * time.Second)

		a.plug.Move(in.Router("2.0.0.9"))
		put("10.9.0.2")
		begun := time.Now()
		a.waitFor("a circuit", func() bool { return b.byCircuit(a, begun) }, 2500*time.Millisecond)
		t.Logf("connected by a circuit after %v, of which up to 1 s until the move was noticed", time.Since(begun))
		a.circuits(time.Second)
		// Nobody has told the other end: it takes the old path for alive, until it
		// is tested.
		for _, c := range b.Network().ConnsToPeer(a.ID()) {
			if !throughRelay(c.RemoteMultiaddr()) {
				_ = c.Close()
			}
		}
		begun = time.Now()
		a.waitFor("a direct path", func() bool { return cameFrom(b, a, "2.0.0.9") }, time.Second)
		t.Logf("direct from the new address %v after the old path was found dead", time.Since(begun))
	})
}

func (m *machine) waitFor(what string, is func() bool, within time.Duration) {
	m.t.Helper()
	virtual.Until(m.t, within, time.Millisecond, what, is)
}

// byCircuit says that another is connected by a circuit that is no older.
func (m *machine) byCircuit(other *machine, since time.Time) bool {
	for _, c := range m.Network().ConnsToPeer(other.ID()) {
		if throughRelay(c.RemoteMultiaddr()) && !c.Stat().Opened.Before(since) {
			return true
		}
	}
	return false
}

// cameFrom says that m has a direct connection to another that comes from ip.
func cameFrom(m, other *machine, ip string) bool {
	for _, c := range m.Network().ConnsToPeer(other.ID()) {
		if strings.HasPrefix(c.RemoteMultiaddr().String(), "/ip4/"+ip+"/") && !throughRelay(c.RemoteMultiaddr()) {
			return true
		}
	}
	return false
}

// A router that forgot its mappings gives out other ports, and nothing on the
// machine changes.
func TestRouterThatForgotIsFoundOut(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(4)
		virtual.Pass(time.Second)
		home := in.Router("2.0.0.2")
		a := in.place("10.1.0.2", in.Router("2.0.0.1"), reach.Config{Relays: known(relays)})
		b := in.place("10.2.0.2", home, reach.Config{Relays: known(relays)})
		for _, r := range relays {
			if err := b.Connect(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		b.circuits(time.Second)
		virtual.Pass(2 * time.Second)
		a.dial(b)
		if a.direct(b, 5*time.Second) == 0 {
			t.Fatal("no direct path at first")
		}

		home.Forget()
		begun := time.Now()
		a.waitFor("direct path through the new ports", func() bool {
			for _, m := range []*machine{a, b} { // what beats do, once they notice
				for _, c := range m.Network().Conns() {
					if !throughRelay(c.RemoteMultiaddr()) && c.Stat().Opened.Before(begun) && (c.RemotePeer() == a.ID() || c.RemotePeer() == b.ID()) {
						_ = c.Close()
					}
				}
			}
			a.dialAt(b, b.circuits(5*time.Second))
			return a.direct(b, 500*time.Millisecond) != 0
		}, 20*time.Second)
		t.Logf("direct again after %v", time.Since(begun))
	})
}
