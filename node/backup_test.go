package node

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/presence"
)

func quiet(t *testing.T, cfg Config) *Node {
	t.Helper()
	cfg.Local, cfg.NoRendezvous, cfg.NoDHT, cfg.NoGossip = true, true, true, true
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func somebody(t *testing.T) Peer {
	t.Helper()
	id, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	return id.Public()
}

func TestFriendsAreAdmittedAndToldWhoKeepsMail(t *testing.T) {
	t.Parallel()
	alice, bob := quiet(t, Config{}), quiet(t, Config{})
	keeper, idle := somebody(t), somebody(t)
	if a := alice.hello(bob.Key()).Admission; a != nil {
		t.Error("a stranger is admitted")
	}
	for who, name := range map[Peer]string{bob.Key(): "bob", keeper: "keeper", idle: "idle"} {
		if _, err := alice.AddContact(identity.Link{Peer: who}.String(), name); err != nil {
			t.Fatal(err)
		}
	}
	alice.hellos.put(keeper, claims{roles: []uint8{heartbeat.RoleBackup}})

	// The admission is good for bob's messages to alice, and for nobody else's.
	raw := alice.hello(bob.Key()).Admission
	a, err := backup.ParseAdmission(protocols.Main, raw)
	e := &envelope.Envelope{From: bob.Key(), To: alice.Key()}
	if err != nil || !a.Admits(e, time.Now()) {
		t.Errorf("admission %+v, %v", a, err)
	}
	bob.admitted(alice.Key(), raw)
	if got, ok := bob.store.Admission(alice.Key()); !ok || string(got) != string(raw) {
		t.Error("bob did not keep it")
	}
	other := quiet(t, Config{})
	other.admitted(alice.Key(), raw) // it is for bob
	if _, ok := other.store.Admission(alice.Key()); ok {
		t.Error("somebody else kept it")
	}

	// Friends hear who keeps alice's mail; the presence for everybody names nobody.
	own, err := presence.Parse(protocols.Main, alice.presence.Own(), time.Now())
	if err != nil || len(own.Holders) != 1 || own.Holders[0] != keeper {
		t.Errorf("presence %+v, %v", own, err)
	}
	if near := alice.near(alice.Key()); !near[keeper] || !near[idle] || len(near) != 3 {
		t.Errorf("alice looks for her mail with %v", near)
	}
}

func TestTheRoleIsOfferedAsConfigured(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][2]bool{"auto": {true, false}, "on": {true, true}, "off": {false, false}} {
		n := quiet(t, Config{Backup: mode})
		has := func(roles []uint8) bool {
			for _, r := range roles {
				if r == heartbeat.RoleBackup {
					return true
				}
			}
			return false
		}
		if got := [2]bool{has(n.hello(somebody(t)).Roles), has(n.announcedRoles())}; got != want {
			t.Errorf("%s: to neighbours and to all %v, want %v", mode, got, want)
		}
	}
	if _, err := New(Config{Backup: "maybe", Local: true}); err == nil {
		t.Error("maybe is no mode")
	}
}

// TestWhoWasSeenUpRanksAsHolder has a neighbour watched for hours, and one that
// is only heard of: its word counts, but never as much.
func TestWhoWasSeenUpRanksAsHolder(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	alice, bob := quiet(t, Config{Now: now}), quiet(t, Config{})
	for _, n := range []*Node{alice, bob} {
		go n.Run(t.Context())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := alice.Connect(ctx, bob.Link()); err != nil {
		t.Fatal(err)
	}
	alice.greeted(bob.Key(), bob.hello(alice.Key()), 0, false) // it may still be on its way
	candidate := func() (c backup.Candidate) {
		all := alice.holderCandidates(somebody(t))
		i := slices.IndexFunc(all, func(c backup.Candidate) bool { return c.Key == bob.Key() })
		if i < 0 || !slices.ContainsFunc(all, func(c backup.Candidate) bool { return c.Key == alice.Key() }) {
			t.Fatalf("candidates %+v", all)
		}
		return all[i]
	}
	if c := candidate(); c.Uptime > time.Minute || c.Known > time.Minute {
		t.Errorf("at first %+v", c)
	}
	for range 12 * 30 {
		ahead.Add(int64(sightInterval))
		alice.sight()
	}
	if c := candidate(); c.Uptime < 24*time.Hour || c.Uptime > 30*time.Hour || c.Known < 29*time.Hour {
		t.Errorf("after 30 hours %+v", c)
	}

	// Somebody who was met once, and lets everybody know for a week that it is there.
	heard, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	addr := multiaddr.StringCast("/ip4/192.0.2.1/udp/1/quic-v1")
	alice.cache.Met(peer.AddrInfo{ID: heard.PeerID(), Addrs: []multiaddr.Multiaddr{addr}}, now(), true, heartbeat.RoleBackup)
	signer := heard.Signer(alice.cfg.network)
	for range 7 * 24 * 3 / 2 {
		ahead.Add(int64(40 * time.Minute))
		made := uint64(now().UnixMilli())
		said := presence.Sign(signer, presence.Presence{Made: made, Until: made + uint64(time.Hour.Milliseconds())})
		if _, ok := alice.presence.Told(heard.Public(), said, func(Peer) bool { return true }); !ok {
			t.Fatal("the presence is not taken")
		}
		alice.sight()
	}
	up := alice.cache.Uptime(heard.PeerID(), now())
	if up < time.Hour || up > 6*time.Hour {
		t.Errorf("up %v, by its own word", up)
	}
}
