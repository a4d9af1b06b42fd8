package groups

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// What failover must find again comes back out of its row.
func TestHubsComeBackFromDisk(t *testing.T) {
	t.Parallel()
	s := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Max: 9, Beat: 500}}.Sign(s))
	if err != nil {
		t.Fatal(err)
	}
	first, err := failover.First(s, c, protocols.Main)
	if err != nil {
		t.Fatal(err)
	}
	until := time.UnixMilli(1_790_000_000_123)
	row := encode(hubsOf(failover.Durable{
		Current: first, Previous: first,
		Withdrawn: map[wire.HubHash]*failover.Retreat{{1}: {Withdrawal: []byte{2}, Back: first}},
		Condemned: map[protocols.Key]time.Time{{3}: until}, Displaced: map[protocols.Key]time.Time{{4}: until},
	}))
	var h hubs
	if err := decode(row, &h); err != nil {
		t.Fatal(err)
	}
	d, err := h.durable(protocols.Main)
	if err != nil {
		t.Fatal(err)
	}
	if d.Current.Record.Hash() != first.Record.Hash() || d.Previous.Record.Hash() != first.Record.Hash() {
		t.Error("the branches are others")
	}
	if r := d.Withdrawn[wire.HubHash{1}]; r == nil || r.Back.Record.Hash() != first.Record.Hash() || len(r.Withdrawal) != 1 {
		t.Errorf("withdrawn is %+v", d.Withdrawn)
	}
	if c, d := d.Condemned[protocols.Key{3}], d.Displaced[protocols.Key{4}]; !c.Equal(until) || !d.Equal(until) {
		t.Errorf("condemned until %v, displaced until %v", c, d)
	}
}
