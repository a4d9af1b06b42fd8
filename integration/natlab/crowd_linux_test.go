package natlab

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowdSize is how many are behind one address: a school, or a street behind a
// carrier's router. More than libp2p would let in from there by itself.
const crowdSize = 40

func TestFortyBehindOneAddressReachEachOther(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	var hosts []site
	for i := range crowdSize {
		hosts = append(hosts, host(fmt.Sprintf("h%d", i)))
	}
	homes := l.add(t, behind(cone, hosts...).called("router"))
	crowd := make([]*party, crowdSize)
	var g errgroup.Group
	g.SetLimit(4)
	for i := range crowd {
		g.Go(func() (err error) {
			// One LAN would be too easy: they are to need the relays.
			crowd[i], err = l.launch(t.Context(), homes.site(hosts[i].name), "--no-mdns")
			return err
		})
	}
	err := g.Wait()
	t.Cleanup(func() { endAll(t, crowd) })
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, p := range crowd {
		p.ready(t)
	}
	ready := time.Since(begin)
	for i, p := range crowd {
		p.delivers(t, crowd[(i+1)%crowdSize], "hello, neighbour")
	}
	report(fmt.Sprintf("%d nodes behind one address: all have a relay %v after the last has started, and reach the next\n", crowdSize, ready.Round(time.Millisecond)))
}

func endAll(t *testing.T, crowd []*party) {
	var g errgroup.Group
	g.SetLimit(4)
	for _, p := range crowd {
		if p != nil {
			g.Go(func() error { p.end(t); return nil })
		}
	}
	_ = g.Wait()
}
