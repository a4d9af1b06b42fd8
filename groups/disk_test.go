package groups

import (
	"crypto/ed25519"
	"reflect"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/senderkey"
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

// What is kept besides the log comes back out of its row, and out of no part of it.
func TestWhatIsKeptComesBackFromDisk(t *testing.T) {
	t.Parallel()
	name := wire.RecordName{Author: protocols.Key{1}, ID: wire.RecordID{2}}
	key := keptKey(wire.GroupID{3}, name)
	place := wire.Place{Number: 4, Primary: protocols.Key{5}, Seq: 6}
	for what, k := range map[string]member.Kept{
		"own":                 {Name: name, Record: make([]byte, 300), Own: true},
		"of another":          {Name: name, Record: []byte{7}, Old: &wire.Old{Place: place}},
		"own, with its place": {Name: name, Record: []byte{7}, Own: true, Old: &wire.Old{Place: place, Head: []byte{8}}},
	} {
		row := keptRow(k)
		got, err := parseKeptRow(key, row)
		if err != nil || !reflect.DeepEqual(got, k) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
		if before, err := parseKeptRow(key, encode(k)); err != nil || !reflect.DeepEqual(before, k) {
			t.Errorf("%s, as it was written before: %+v, %v", what, before, err)
		}
		for n := range row {
			if part, err := parseKeptRow(key, row[:n]); err == nil && !(k.Old != nil && part.Old == nil && len(part.Record) == len(k.Record)) {
				t.Fatalf("%s: %d bytes of %d are taken for %+v", what, n, len(row), part)
			}
		}
	}
	if _, err := parseKeptRow(key[:20], keptRow(member.Kept{Name: name, Record: []byte{7}})); err == nil {
		t.Error("a key that names no record is taken")
	}
}

// Chains of other members come back, also as they were written before they had bytes of
// their own.
func TestChainsOfOthersComeBackFromDisk(t *testing.T) {
	t.Parallel()
	owner := protocols.Key{1}
	chain := senderkey.Receiving{State: senderkey.State{Chain: wire.ChainID{2}, Index: 3, Secret: [32]byte{4}}, Elsewhere: true}
	ring := senderkey.NewRing()
	ring.Restore(owner, chain)
	before := encode(struct {
		Chains map[protocols.Key][]senderkey.Receiving
	}{map[protocols.Key][]senderkey.Receiving{owner: {chain}}})
	for what, b := range map[string][]byte{"as they are written": ringBytes(ring), "as they were": before} {
		back := senderkey.NewRing()
		err := loadRing(back, b)
		if got, ok := back.Chain(owner, chain.Chain); err != nil || !ok || !reflect.DeepEqual(got, chain) {
			t.Errorf("%s: %+v, %v, %v", what, got, ok, err)
		}
		for n := range b {
			if err := loadRing(senderkey.NewRing(), b[:n]); err == nil {
				t.Fatalf("%s: %d bytes of %d are taken", what, n, len(b))
			}
		}
	}
}
