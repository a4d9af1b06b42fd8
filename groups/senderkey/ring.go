package senderkey

import (
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// MaxChains is how many chains of an owner are held, the newest.
const MaxChains = 8

// Other bounds of a ring.
const (
	maxEarly   = 4  // an owner's that wait for their roster
	maxRosters = 64 // versions whose hash is remembered
)

// The outcomes of Accept but success.
var (
	ErrEarly = errors.New("for a roster not known yet") // kept until it is
	ErrOwner = errors.New("not from a member of its roster")
)

// Ring holds the chains of the other members of one group. An owner can fill
// only its own part of it.
type Ring struct {
	owners  map[protocols.Key]*owner
	rosters []known // by ascending version
}

type owner struct {
	chains []*Receiving // oldest first
	early  []wire.SenderKey
}

// Members are a group's by one version of its roster.
type Members interface {
	Version() wire.RosterVersion
	Hash() wire.RosterHash
	Member(protocols.Key) bool
}

// known is a version that was the newest. Its hash is made when a key is compared
// with it: most versions see none, and a roster may be long.
type known struct {
	Members
	version wire.RosterVersion
	hash    *wire.RosterHash
}

func (k *known) hashed() wire.RosterHash {
	if k.hash == nil {
		h := k.Hash()
		k.hash = &h
	}
	return *k.hash
}

// NewRing makes an empty ring.
func NewRing() *Ring { return &Ring{owners: make(map[protocols.Key]*owner)} }

// Know says who is in the group by the newest version of its roster. Keys that came
// early for it are taken or dropped now; their owners are returned. m is asked later
// too and must go on answering for that version. A merge may rewrite versions: those
// from this one on are forgotten.
func (g *Ring) Know(m Members) (taken []protocols.Key) {
	version := m.Version()
	g.rosters = slices.DeleteFunc(g.rosters, func(k known) bool { return k.version >= version })
	g.rosters = append(g.rosters, known{Members: m, version: version})
	if len(g.rosters) > maxRosters {
		g.rosters = slices.Delete(g.rosters, 0, 1)
	}
	for k, o := range g.owners {
		if g.knowEarly(k, o) {
			taken = append(taken, k)
		}
	}
	slices.SortFunc(taken, func(a, b protocols.Key) int { return slices.Compare(a[:], b[:]) })
	return taken
}

func (g *Ring) knowEarly(k protocols.Key, o *owner) (took bool) {
	early := o.early
	o.early = nil
	for _, key := range early {
		err := g.Accept(k, key)
		took = took || err == nil
	}
	return took
}

// Accept takes a chain that came in an envelope of its owner. One that is known
// already stays as it is, so that nothing brings back keys that are used.
func (g *Ring) Accept(from protocols.Key, k wire.SenderKey) error {
	if k.Index > MaxMessages {
		return ErrBound
	}
	o := g.owners[from]
	if o.chain(k.Chain) != nil {
		return nil
	}
	elsewhere, err := g.fits(from, k)
	if err != nil && !errors.Is(err, ErrEarly) {
		return err
	}
	if o == nil {
		o = new(owner)
		g.owners[from] = o
	}
	if err != nil {
		o.early = bounded(append(o.early, k), maxEarly)
		return err
	}
	state := State{Chain: k.Chain, Roster: Roster{Version: k.Roster, Hash: k.RosterHash}, Index: k.Index, Secret: k.State}
	o.chains = bounded(append(o.chains, &Receiving{State: state, Elsewhere: elsewhere}), MaxChains)
	return nil
}

// fits compares a chain's roster with those known. One older than all of them
// is its owner's word, which the additional data hold it to. One with another
// hash is of another branch: refusing it would make unreadable what the smaller
// side of a partition wrote.
func (g *Ring) fits(from protocols.Key, k wire.SenderKey) (elsewhere bool, err error) {
	if len(g.rosters) == 0 || k.Roster > g.rosters[len(g.rosters)-1].version {
		return false, ErrEarly
	}
	of := &g.rosters[len(g.rosters)-1]
	if at := slices.IndexFunc(g.rosters, func(r known) bool { return r.version == k.Roster }); at >= 0 {
		elsewhere = g.rosters[at].hashed() != k.RosterHash
		if !elsewhere {
			of = &g.rosters[at]
		}
	}
	if !of.Member(from) {
		return false, ErrOwner
	}
	return elsewhere, nil
}

func bounded[T any](list []T, limit int) []T {
	if extra := len(list) - limit; extra > 0 {
		return slices.Delete(list, 0, extra)
	}
	return list
}

func (o *owner) chain(id wire.ChainID) *Receiving {
	if o == nil {
		return nil
	}
	for _, c := range o.chains {
		if c.Chain == id {
			return c
		}
	}
	return nil
}

// Open opens a message of the record's author. On success the chain has moved
// on: see Chain.
func (g *Ring) Open(r Record, m *wire.Message, now time.Time) ([]byte, error) {
	o := g.owners[r.Author]
	c := o.chain(m.Chain)
	if c == nil {
		return nil, ErrNoKey
	}
	plain, err := c.open(r, m, now)
	if err == nil {
		o.bound()
	}
	return plain, err
}

// bound gives up the oldest skipped keys of an owner that has too many.
func (o *owner) bound() {
	total := 0
	for _, c := range o.chains {
		total += len(c.Skipped)
	}
	for _, c := range o.chains {
		n := min(max(total-MaxSkipped, 0), len(c.Skipped))
		clear(c.Skipped[:n])
		c.Skipped = slices.Delete(c.Skipped, 0, n)
		total -= n
	}
}

// Has says whether a chain is held.
func (g *Ring) Has(from protocols.Key, id wire.ChainID) bool { return g.owners[from].chain(id) != nil }

// Chain returns a copy of a chain; ok is false if there is none.
func (g *Ring) Chain(from protocols.Key, id wire.ChainID) (c Receiving, ok bool) {
	held := g.owners[from].chain(id)
	if held == nil {
		return Receiving{}, false
	}
	c = *held
	c.Skipped = slices.Clone(held.Skipped)
	return c, true
}

// Restore puts back a chain that was kept.
func (g *Ring) Restore(from protocols.Key, c Receiving) {
	o := g.owners[from]
	if o == nil {
		o = new(owner)
		g.owners[from] = o
	}
	o.chains = bounded(append(o.chains, &c), MaxChains)
}

// Expire gives up skipped keys that are a day old: their messages are gone too.
func (g *Ring) Expire(now time.Time) {
	for _, o := range g.owners {
		for _, c := range o.chains {
			c.Skipped = slices.DeleteFunc(c.Skipped, func(s Skipped) bool { return now.Sub(s.Since) >= MaxAge })
		}
	}
}

// Forget drops all chains of one who is no member any more.
func (g *Ring) Forget(k protocols.Key) { delete(g.owners, k) }
