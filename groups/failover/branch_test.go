package failover_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

func signer(n byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)))
}

var alice, bob, carol = signer(1), signer(2), signer(3)

func charter(t *testing.T) *wire.Charter {
	t.Helper()
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Max: 9, Beat: 500}}.Sign(alice))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// made signs a record of alice's group, and parses it.
func made(t *testing.T, s protocols.Signer, change func(*wire.HubRecord)) *wire.HubRecord {
	t.Helper()
	h := wire.HubRecord{Group: charter(t).Group(), Number: 1, Version: 1, Cause: wire.CauseFirst, Links: []wire.HubHash{charter(t).Hash()}}
	change(&h)
	var admin []byte
	if h.Admin != (protocols.Key{}) {
		h.Primary = s.Public()
		admin = h.SignAdmin(alice)
	}
	r, err := wire.ParseHubRecord(protocols.Main, h.Sign(s, admin))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// chain is a first record that names bob shadow, and records that continue it.
type chain struct {
	first, second, promoted, handed, merged *wire.HubRecord
}

func chainOf(t *testing.T) chain {
	t.Helper()
	var c chain
	c.first = made(t, alice, func(*wire.HubRecord) {})
	c.second = made(t, alice, func(h *wire.HubRecord) {
		h.Version, h.Cause, h.Links, h.Shadow = 2, wire.CauseChange, []wire.HubHash{c.first.Hash()}, bob.Public()
	})
	c.promoted = made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 2, wire.CausePromotion, []wire.HubHash{c.second.Hash()}
	})
	c.handed = made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 2, wire.CauseHanded, []wire.HubHash{c.second.Hash()}, alice.Public()
	})
	c.merged = made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 3, wire.CauseMerge, []wire.HubHash{c.promoted.Hash(), c.second.Hash()}
	})
	return c
}

func parse(r *wire.HubRecord, linked ...*wire.HubRecord) (*failover.Branch, error) {
	f := wire.HubRecordFrame{Record: r.Bytes()}
	for _, l := range linked {
		f.Linked = append(f.Linked, l.Bytes())
	}
	return failover.ParseBranch(protocols.Main, &f)
}

func TestBranchesComeWithWhatTheyAreJudgedBy(t *testing.T) {
	t.Parallel()
	c := chainOf(t)
	for name, b := range map[string][]*wire.HubRecord{
		"the first":   {c.first},
		"its second":  {c.second, c.first},
		"a promotion": {c.promoted, c.second},
		"handed over": {c.handed, c.second},
		"a merge":     {c.merged, c.promoted, c.second},
	} {
		branch, err := parse(b[0], b[1:]...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := branch.Frame()
		again, err := failover.ParseBranch(protocols.Main, &f)
		if err != nil || again.Term() != branch.Term() || again.Record.Hash() != branch.Record.Hash() {
			t.Errorf("%s does not come back out of its frame: %v", name, err)
		}
	}
}

func TestBranchesThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	c := chainOf(t)
	ahead := made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 3, wire.CausePromotion, []wire.HubHash{c.second.Hash()}
	})
	byCarol := made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 2, wire.CausePromotion, []wire.HubHash{c.second.Hash()}
	})
	stolen := made(t, carol, func(h *wire.HubRecord) {
		h.Version, h.Cause, h.Links = 2, wire.CauseChange, []wire.HubHash{c.first.Hash()}
	})
	handedByNobody := made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 3, wire.CauseHanded, []wire.HubHash{c.promoted.Hash()}, alice.Public()
	})
	mergedByCarol := made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 3, wire.CauseMerge, []wire.HubHash{c.promoted.Hash(), c.second.Hash()}
	})
	for name, b := range map[string][]*wire.HubRecord{
		"without what it links to":             {c.promoted},
		"with another link":                    {c.promoted, c.first},
		"a version without its term's first":   {c.second},
		"a version with another's first":       {c.second, c.promoted},
		"a merge with one link":                {c.merged, c.promoted},
		"a merge with its links the other way": {c.merged, c.second, c.promoted},
		"one link too many":                    {c.promoted, c.second, c.first},
		"a number ahead":                       {ahead, c.second},
		"promoted though not named":            {byCarol, c.second},
		"a version of another's term":          {stolen, c.first},
		"handed over by who did not lead":      {handedByNobody, c.promoted},
		"merged by who led neither":            {mergedByCarol, c.promoted, c.second},
	} {
		if _, err := parse(b[0], b[1:]...); !errors.Is(err, failover.ErrBranch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
