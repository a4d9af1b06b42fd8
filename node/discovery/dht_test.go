package discovery

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// dhtNode is a host with a DHT, and the signer of its prekeys.
type dhtNode struct {
	host.Host
	*DHT
	signer protocols.Signer
	record atomic.Pointer[[]byte]
	stop   func()
}

func (s *sim) dhtNode(n int, roles ...uint8) *dhtNode {
	s.t.Helper()
	d := &dhtNode{Host: s.host(n)}
	d.signer = signerOf(s.t, d.Host)
	d.renew()
	d.DHT = NewDHT(DHTConfig{
		Host:    d.Host,
		Prekeys: func() []byte { return *d.record.Load() },
		Roles:   func() []uint8 { return roles },
	})
	d.stop = s.runs(d.DHT)
	return d
}

// renew makes a record as of now; whoever asks gets the newest.
func (d *dhtNode) renew() {
	record := recordOf(d.signer, time.Now())
	d.record.Store(&record)
}

func recordOf(s protocols.Signer, made time.Time) []byte {
	return prekeys.Sign(s, made, []prekeys.DayKey{{Day: prekeys.DayOf(made), Public: [32]byte{1}}})
}

func (d *dhtNode) count(outcome string) int {
	return int(testutil.ToFloat64(d.DHT.count.records.WithLabelValues(outcome)))
}

// dhtCrowd is a network whose members met over the first only.
func (s *sim) dhtCrowd(n int, roles ...uint8) []*dhtNode {
	s.t.Helper()
	all := make([]*dhtNode, n)
	for i := range all {
		all[i] = s.dhtNode(i, roles...)
		if i > 0 {
			s.connect(all[i].Host, all[0].Host)
		}
	}
	virtual.Pass(2 * time.Minute)
	return all
}

func TestDHTFindsEverybodyWithoutTheOneTheyMetOver(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(20)
		all[0].stop()
		all[0].Host.Close()
		for _, a := range all[1:] {
			for _, b := range all[1:] {
				if a == b {
					continue
				}
				addrs, err := a.Find(t.Context(), b.Host.ID())
				if err != nil || !slices.ContainsFunc(addrs, b.Addrs()[0].Equal) {
					t.Errorf("found at %v, %v", addrs, err)
				}
			}
		}
		nobody := somebody(t)
		begun := time.Now()
		if addrs, err := all[1].Find(t.Context(), nobody.ID); err == nil {
			t.Errorf("nobody is at %v", addrs)
		}
		if took := time.Since(begun); took > lookupTimeout {
			t.Errorf("a lookup took %v", took)
		}
	})
}

func TestDHTWaitsForNobodyWhoIsGone(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(12)
		h := s.host(20) // somebody who serves nobody, but is known to those who stay
		for _, stays := range all[2:9] {
			s.connect(h, stays.Host)
		}
		for _, goes := range all[9:] { // fewer than are asked at a time
			s.vanish(goes.Host)
		}
		begun := time.Now()
		addrs, err := all[1].Find(t.Context(), h.ID())
		if took := time.Since(begun); err != nil || !slices.ContainsFunc(addrs, h.Addrs()[0].Equal) || took > time.Second {
			t.Errorf("found at %v, %v, after %v", addrs, err, took)
		}
	})
}

// Dials in vain hold up those that are not.
func TestDHTNamesNoAddressThatIsGoodOnAnotherMachineOnly(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(6)
		h := s.host(20)
		loopback := multiaddr.StringCast("/ip4/127.0.0.1/udp/4001/quic-v1")
		for _, knows := range all[2:] {
			s.connect(h, knows.Host)
			knows.Host.Peerstore().AddAddr(h.ID(), loopback, time.Hour)
		}
		addrs, err := all[1].Find(t.Context(), h.ID())
		if err != nil || !slices.ContainsFunc(addrs, h.Addrs()[0].Equal) || slices.ContainsFunc(addrs, loopback.Equal) {
			t.Errorf("found at %v, %v", addrs, err)
		}
	})
}

func TestDHTHoldsPrekeysAndTheNewestOnes(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(15)
		alice, bob := all[3], all[7]
		got, err := alice.Prekeys(t.Context(), bob.signer.Public())
		if err != nil || !bytes.Equal(got, *bob.record.Load()) {
			t.Fatalf("prekeys %x, %v", got, err)
		}
		bob.renew()
		bob.Changed()
		virtual.Pass(2 * newsPatience)
		if got, err = alice.Prekeys(t.Context(), bob.signer.Public()); err != nil || !bytes.Equal(got, *bob.record.Load()) {
			t.Errorf("prekeys after a change: %x, %v", got, err)
		}
		bob.stop()
		bob.Host.Close()
		if got, err = alice.Prekeys(t.Context(), bob.signer.Public()); err != nil || !bytes.Equal(got, *bob.record.Load()) {
			t.Errorf("prekeys of one who left: %x, %v", got, err)
		}
	})
}

func TestDHTForgetsNobodyWhoStaysAndEverybodyWhoLeft(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(4)
		stay, leave := all[1], all[2]
		leave.stop()
		leave.Host.Close()
		for range recordLife/time.Hour + 2 { // sweeps and lookups happen in between
			virtual.Pass(time.Hour)
		}
		stay.renew()
		stay.Changed()
		virtual.Pass(2 * newsPatience)
		if got, err := all[3].Prekeys(t.Context(), stay.signer.Public()); err != nil || !bytes.Equal(got, *stay.record.Load()) {
			t.Errorf("prekeys %x, %v", got, err)
		}
		if got, err := all[3].Prekeys(t.Context(), leave.signer.Public()); err == nil {
			t.Errorf("two days later there is %x", got)
		}
	})
}

func TestDHTFindsWhoOffersARole(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(6)
		relay := s.dhtNode(6, 1)
		s.connect(relay.Host, all[4].Host)
		virtual.Pass(time.Minute)
		found, err := all[1].Providers(t.Context(), RoleDigest(1), 5)
		if err != nil || len(found) != 1 || found[0].ID != relay.Host.ID() {
			t.Fatalf("relays %v, %v", found, err)
		}
		if found, err := all[1].Providers(t.Context(), RoleDigest(2), 5); !errors.Is(err, ErrNotFound) {
			t.Errorf("backups %v, %v", found, err)
		}
		relay.stop()
		relay.Host.Close()
		virtual.Pass(providerLife + time.Hour)
		if found, err := all[1].Providers(t.Context(), RoleDigest(1), 5); err == nil {
			t.Errorf("a day after it left the relay is still named: %v", found)
		}
	})
}

// villain is a stock kad-dht host that checks nothing of what it stores.
func (s *sim) villain(n int, meets host.Host) *dht.IpfsDHT {
	s.t.Helper()
	h := s.host(n)
	kad, err := dht.New(h, dht.ProtocolPrefix(protocol.ID(protocols.KadPrefix)), dht.Mode(dht.ModeServer),
		dht.DisableAutoRefresh(), dht.Validator(record.NamespacedValidator{prekeySpace: anything{}}))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = kad.Close() })
	s.connect(h, meets)
	virtual.Pass(time.Minute)
	return kad
}

type anything struct{}

func (anything) Validate(string, []byte) error        { return nil }
func (anything) Select(string, [][]byte) (int, error) { return 0, nil }

func TestDHTRecordForSomeoneElsesIDIsRefusedAndCounted(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(8)
		evil := s.villain(8, all[0].Host)
		bob := all[5]
		forged := recordOf(all[6].signer, time.Now()) // well signed, by another
		if err := evil.PutValue(t.Context(), prekeyPath(bob.signer.Public()), forged); err != nil {
			t.Log(err) // holders refuse it
		}
		refused := 0
		for _, d := range all {
			refused += d.count("foreign")
		}
		if refused == 0 {
			t.Error("nobody counted a forged record")
		}
		for _, d := range all {
			if d == bob {
				continue
			}
			if got, err := d.Prekeys(t.Context(), bob.signer.Public()); err != nil || !bytes.Equal(got, *bob.record.Load()) {
				t.Errorf("prekeys %x, %v", got, err)
			}
		}
	})
}

func TestPrekeyValidatorMatchesKeySignerAndAge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	signer := func(b byte) protocols.Signer {
		return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)))
	}
	bob, eve := signer(1), signer(2)
	good, newer := recordOf(bob, now.Add(-time.Hour)), recordOf(bob, now)
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1
	path := prekeyPath(bob.Public())
	outcomes := map[string]int{}
	v := &prekeyValidator{network: protocols.Main, now: func() time.Time { return now }, count: func(o string) { outcomes[o]++ }}
	for _, c := range []struct {
		name, path, want string
		record           []byte
	}{
		{"good", path, "accepted", good},
		{"under another's key", prekeyPath(eve.Public()), "foreign", good},
		{"of another, under this key", path, "foreign", recordOf(eve, now)},
		{"changed", path, "invalid", broken},
		{"nothing", path, "invalid", nil},
		{"from the future", path, "invalid", recordOf(bob, now.Add(time.Hour))},
		{"ten days old", path, "old", recordOf(bob, now.Add(-10*24*time.Hour))},
		{"whose days are over", path, "old", recordOf(bob, now.Add(-3*24*time.Hour))},
		{"of another network", path, "invalid", recordOf(protocols.NewSigner("test", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))), now)},
		{"under a short key", path[:len(path)-1], "no key", good},
		{"in another name space", "/pk/x", "no key", good},
	} {
		before := outcomes[c.want]
		if err := v.Validate(c.path, c.record); (err == nil) != (c.want == "accepted") || outcomes[c.want] != before+1 {
			t.Errorf("%s: %v, counted %v", c.name, err, outcomes)
		}
	}
	if i, err := v.Select(path, [][]byte{good, broken, newer, recordOf(eve, now)}); err != nil || i != 2 {
		t.Errorf("selected %d, %v", i, err)
	}
	if _, err := v.Select(path, [][]byte{broken, nil}); err == nil {
		t.Error("selected among the broken")
	}
}

func TestWhoServesTheDHT(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                     string
		confirmed, serving, want bool
		near, far                int
	}{
		{name: "reachable from outside", confirmed: true, far: 5, want: true},
		{name: "alone at first"},
		{name: "alone later", serving: true, want: true},
		{name: "on a LAN", near: 3, far: 1, want: true},
		{name: "at home", near: 1, far: 3},
		{name: "at home after the LAN", serving: true, near: 1, far: 3},
		{name: "as many", near: 2, far: 2},
	} {
		if got := serves(c.confirmed, c.serving, c.near, c.far); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestNodesThatCannotServeAreFoundAllTheSame(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(10)
		h := s.host(20)
		kad, err := dht.New(h, dht.ProtocolPrefix(protocol.ID(protocols.KadPrefix)), dht.Mode(dht.ModeClient), dht.DisableAutoRefresh())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = kad.Close() })
		s.connect(h, all[2].Host)
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { newDHTUpkeep(NewDHT(DHTConfig{Host: h, Local: true}), kad).run(ctx) })
		t.Cleanup(func() { cancel(); done.Wait() })
		found := func(when string) {
			t.Helper()
			if addrs, err := all[7].Find(t.Context(), h.ID()); err != nil || len(addrs) == 0 {
				t.Errorf("%s a client is at %v, %v", when, addrs, err)
			}
		}
		virtual.Pass(2 * time.Minute)
		found("soon")
		for _, neighbour := range all { // who has others to talk to
			_ = h.Network().ClosePeer(neighbour.Host.ID())
		}
		virtual.Pass(40 * time.Minute) // longer than those nearest remember whom they have lost
		found("later")
	})
}

func TestDHTAsksNobodyBeforeItRunsOrAlone(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		h := s.host(1)
		d := NewDHT(DHTConfig{Host: h, Local: true, Registerer: prometheus.NewRegistry()})
		if _, err := d.Find(t.Context(), somebody(t).ID); !errors.Is(err, ErrNotRunning) {
			t.Errorf("before it runs: %v", err)
		}
		stop := s.runs(d)
		virtual.Pass(time.Minute)
		if _, err := d.Find(t.Context(), somebody(t).ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("alone: %v", err)
		}
		stop()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Run(ctx, func(peer.AddrInfo) {}); err != nil {
			t.Errorf("once more: %v", err)
		}
	})
}

func TestDHTLooksForNobodyTwiceAtOnce(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(6)
		h := s.host(20)
		find := func() (time.Duration, error) {
			begun := time.Now()
			_, err := all[1].Find(t.Context(), h.ID())
			return time.Since(begun), err
		}
		if took, err := find(); !errors.Is(err, ErrNotFound) || took == 0 {
			t.Errorf("%v after %v", err, took)
		}
		if took, err := find(); !errors.Is(err, ErrNotFound) || took != 0 {
			t.Errorf("looked again: %v after %v", err, took)
		}
		s.connect(h, all[3].Host)
		virtual.Pass(missLife)
		if _, err := find(); err != nil {
			t.Errorf("came, and is not found: %v", err)
		}
	})
}
