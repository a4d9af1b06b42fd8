package presence

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Limits of a presence.
const (
	MaxRoles   = 8
	MaxAddrs   = 16
	MaxAddr    = 128 // bytes of an address
	MaxHolders = 8
	MaxLife    = 24 * time.Hour
)

// MaxSize is the length of the longest presence, in bytes.
const MaxSize = 1 + 34 + 9 + 9 + 1 + MaxRoles*(1+2+9) + 3 + MaxAddrs*(2+MaxAddr) + 2 + 1 + MaxHolders*34 + 66

// ErrPresence is returned for what is no presence that this node accepts.
var ErrPresence = errors.New("not an acceptable presence")

// Role is a role that a node offers.
type Role struct {
	Role  uint8  // as in hellos; unknown ones are ignored
	Until uint64 // milliseconds since the epoch
}

// Presence is where a node is, and what it offers there. All of it is a claim of
// the node's.
type Presence struct {
	Node    protocols.Key
	Made    uint64 // milliseconds since the epoch
	Until   uint64
	Roles   []Role   // ascending
	Addrs   [][]byte // binary multiaddrs, not looked into
	Load    uint8
	Holders []protocols.Key

	exact []byte
}

// Sign returns the signed presence of the signer. Node is the signer's key
// whatever p says; the rest must keep to the limits.
func Sign(s protocols.Signer, p Presence) []byte {
	w := wire{
		Node: s.Public(), Made: p.Made, Until: p.Until, Load: p.Load, Addrs: p.Addrs,
		Roles: make([]wireRole, len(p.Roles)), Holders: make([][32]byte, len(p.Holders)),
	}
	for i, r := range p.Roles {
		w.Roles[i] = wireRole(r)
	}
	for i, k := range p.Holders {
		w.Holders[i] = k
	}
	b, _ := w.MarshalMsg(nil) // it has no error to return
	protocols.SignStructure(s, protocols.TagPresence, b)
	return b
}

// Parse reads a presence and verifies it: its signature, its limits, and that it
// is in force now.
func Parse(n protocols.Network, b []byte, now time.Time) (*Presence, error) {
	if len(b) > MaxSize {
		return nil, refused("too long")
	}
	b = bytes.Clone(b)
	var w wire
	left, err := w.UnmarshalMsg(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPresence, err)
	}
	if len(left) > 0 || !protocols.Canonical(&w, b) {
		return nil, refused("not in its shortest form")
	}
	p := fromWire(&w)
	if err := p.check(now); err != nil {
		return nil, err
	}
	if !n.VerifyStructure(p.Node, protocols.TagPresence, b) {
		return nil, refused("not signed by its node")
	}
	p.exact = b
	return p, nil
}

func refused(what string) error { return fmt.Errorf("%w: %s", ErrPresence, what) }

func fromWire(w *wire) *Presence {
	p := &Presence{
		Node: w.Node, Made: w.Made, Until: w.Until, Addrs: w.Addrs, Load: w.Load,
		Roles: make([]Role, len(w.Roles)), Holders: make([]protocols.Key, len(w.Holders)),
	}
	for i, r := range w.Roles {
		p.Roles[i] = Role(r)
	}
	for i, k := range w.Holders {
		p.Holders[i] = k
	}
	return p
}

func (p *Presence) check(now time.Time) error {
	switch {
	case !p.Node.Usable():
		return refused("an unusable key")
	case p.Made > uint64(now.Add(envelope.ClockSkew).UnixMilli()):
		return refused("made in the future")
	case p.Until <= p.Made || p.Until-p.Made > uint64(MaxLife.Milliseconds()):
		return refused("in force for no time, or for too long")
	case p.Until <= uint64(now.UnixMilli()):
		return refused("over")
	case len(p.Addrs) > MaxAddrs:
		return refused("too many addresses")
	}
	for i, r := range p.Roles {
		if i > 0 && r.Role <= p.Roles[i-1].Role {
			return refused("roles not ascending")
		}
		if r.Until > p.Made+uint64(MaxLife.Milliseconds()) {
			return refused("a role for too long")
		}
	}
	for _, a := range p.Addrs {
		if len(a) == 0 || len(a) > MaxAddr {
			return refused("an address too short or too long")
		}
	}
	for _, k := range p.Holders {
		if !k.Usable() {
			return refused("an unusable holder")
		}
	}
	return nil
}

// Bytes returns the exact signed presence, to be passed on. It must not be
// changed.
func (p *Presence) Bytes() []byte { return p.exact }

// Newer says whether p is to replace old, which may be nil. A presence of
// another node replaces nothing.
func (p *Presence) Newer(old *Presence) bool {
	return old == nil || (p.Node == old.Node && p.Made > old.Made)
}

// Offers says that the node offers a role at a time.
func (p *Presence) Offers(role uint8, at time.Time) bool {
	ms := uint64(at.UnixMilli())
	if ms >= p.Until {
		return false
	}
	for _, r := range p.Roles {
		if r.Role == role {
			return ms < r.Until
		}
	}
	return false
}

// End is when the presence is over.
func (p *Presence) End() time.Time { return time.UnixMilli(int64(p.Until)) }
