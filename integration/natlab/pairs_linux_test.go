package natlab

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// pair is two homes. Alice writes to bob.
type pair struct {
	name  string
	sites []site
	args  []string
	fresh bool // they have just started; else they know their networks
	// relayed is why they have to stay on a relay; empty if they need not.
	relayed string
}

var alice, bob = host("alice"), host("bob")

// Reasons to stay on a relay.
const (
	newPort   = "each new peer meets another port of a symmetric NAT, and the other side lets in only the port it wrote to"
	noHairpin = "the provider's router does not lead back inside"
)

var pairs = []pair{
	{name: "cone × cone", sites: []site{behind(cone, alice), behind(cone, bob)}},
	{name: "cone × cone, just started", sites: []site{behind(cone, alice), behind(cone, bob)}, fresh: true},
	{name: "UDP blocked × cone, just started", sites: []site{behind(udpBlocked, alice), behind(cone, bob)}, fresh: true},
	{name: "cone × CGNAT", sites: []site{behind(cone, alice), behind(carrier, behind(cone, bob))}},
	{name: "CGNAT × cone", sites: []site{behind(carrier, behind(cone, alice)), behind(cone, bob)}},
	{name: "double NAT × cone", sites: []site{behind(cone, behind(cone, alice)), behind(cone, bob)}},
	{name: "firewalled public × cone", sites: []site{walled("alice"), behind(cone, bob)}},
	{name: "public × cone", sites: []site{alice, behind(cone, bob)}},
	{name: "cone × public", sites: []site{behind(cone, alice), bob}},
	{name: "public × symmetric", sites: []site{alice, behind(symmetric, bob)}},
	{name: "full cone × symmetric", sites: []site{behind(fullCone, alice), behind(symmetric, bob)}},
	{name: "full cone × cone", sites: []site{behind(fullCone, alice), behind(cone, bob)}},
	{name: "UDP blocked × cone", sites: []site{behind(udpBlocked, alice), behind(cone, bob)}},
	{name: "UDP blocked × UDP blocked", sites: []site{behind(udpBlocked, alice), behind(udpBlocked, bob)}},
	{name: "answering cone × answering cone", sites: []site{behind(answering, alice), behind(answering, bob)}},
	{name: "address-restricted × cone", sites: []site{behind(addressRestricted, alice), behind(cone, bob)}},
	{name: "address-restricted × address-restricted", sites: []site{behind(addressRestricted, alice), behind(addressRestricted, bob)}},
	{name: "address-restricted × symmetric", sites: []site{behind(addressRestricted, alice), behind(symmetric, bob)}},
	{name: "symmetric × address-restricted", sites: []site{behind(symmetric, alice), behind(addressRestricted, bob)}},
	{name: "address-restricted × UDP blocked", sites: []site{behind(addressRestricted, alice), behind(udpBlocked, bob)}},
	{name: "IPv6 firewall × IPv6 firewall", sites: []site{behind(firewall6, alice), behind(firewall6, bob)}},
	{name: "one LAN, mDNS", sites: []site{behind(cone, alice, bob)}},
	{name: "one LAN, hairpin, no mDNS", sites: []site{behind(fullCone, alice, bob)}, args: []string{"--no-mdns"}},
	{name: "one LAN, no hairpin, no mDNS", sites: []site{behind(cone, alice, bob)}, args: []string{"--no-mdns"}},
	{name: "cone × symmetric", sites: []site{behind(cone, alice), behind(symmetric, bob)}, relayed: newPort},
	{name: "symmetric × cone", sites: []site{behind(symmetric, alice), behind(cone, bob)}, relayed: newPort},
	{name: "symmetric × symmetric", sites: []site{behind(symmetric, alice), behind(symmetric, bob)}, relayed: newPort},
	{name: "symmetric × UDP blocked", sites: []site{behind(symmetric, alice), behind(udpBlocked, bob)}, relayed: newPort},
	{name: "two homes of one CGNAT", sites: []site{behind(carrier, behind(cone, alice), behind(cone, bob))}, relayed: noHairpin},
}

// What is asked of the median of the meetings.
const (
	moveGoal    = 600 * time.Millisecond // from relayed to direct
	relayedGoal = time.Second            // from send to the receipt, where it stays relayed
)

// How long to watch for a direct connection: where there will be one, and where
// there should not be one.
const (
	watchDirect  = 15 * time.Second
	watchRelayed = 6 * time.Second
)

func TestEveryPairMeets(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	results := make([]row, len(pairs))
	t.Run("pairs", func(t *testing.T) {
		for i, p := range pairs {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				results[i] = l.try(t, p)
				results[i].judge(t)
			})
		}
	})
	report(table(results))
}

// try has the pair meet as often as was asked for, and further while it is open
// whether it meets its goal.
func (l *lab) try(t *testing.T, p pair) row {
	r := row{pair: p}
	homes := l.add(t, p.sites...)
	for len(r.meetings) < trials() || r.open() {
		t.Run(strconv.Itoa(len(r.meetings)+1), func(t *testing.T) { r.add(l.trial(t, p, homes)) })
		if t.Failed() {
			break
		}
	}
	return r
}

// trial starts two daemons that nobody has met, and ends them.
func (l *lab) trial(t *testing.T, p pair, homes town) meeting {
	a, b := l.start(t, homes.site("alice"), p.args...), l.start(t, homes.site("bob"), p.args...)
	ready := b.ready(t)
	a.ready(t)
	if !p.fresh {
		a.settle(t)
		b.settle(t)
	}
	watch := watchDirect
	if p.relayed != "" {
		watch = watchRelayed
	}
	m := meet(t, a, b, watch)
	m.ready = ready
	t.Log(m)
	return m
}

// trials is how often each pair meets.
func trials() int {
	n, err := strconv.Atoi(os.Getenv("N"))
	if err != nil {
		return 1
	}
	return n
}
