package bare

import (
	"crypto/ed25519"
	"errors"
	"time"
)

// Presence is where a node says that it is.
type Presence struct {
	Node        ed25519.PublicKey
	Made, Until uint64
	Roles       []Role
	Addrs       [][]byte
	Load        uint64
	Holders     [][]byte
}

// Role is a role that a node offers.
type Role struct{ Role, Until uint64 }

func (p Presence) sign(key ed25519.PrivateKey, network string) []byte {
	f := pack{}.bin(p.Node).uint(p.Made).uint(p.Until).array(len(p.Roles))
	for _, r := range p.Roles {
		f = f.array(2).uint(r.Role).uint(r.Until)
	}
	f = f.array(len(p.Addrs))
	for _, a := range p.Addrs {
		f = f.bin(a)
	}
	f = f.uint(p.Load).array(len(p.Holders))
	for _, h := range p.Holders {
		f = f.bin(h)
	}
	return structure(key, network, "tom-presence-v1", 7, f)
}

func parsePresence(network string, b []byte, now time.Time) (*Presence, error) {
	u := &unpack{b: b}
	u.choose(u.array() == 8)
	p := &Presence{Node: u.exactly(32), Made: u.uint(), Until: u.uint()}
	for range u.atMost(8) {
		u.choose(u.array() == 2)
		p.Roles = append(p.Roles, Role{u.uint(), u.uint()})
	}
	for range u.atMost(16) {
		p.Addrs = append(p.Addrs, u.bin())
	}
	p.Load = u.uint()
	for range u.atMost(8) {
		p.Holders = append(p.Holders, u.exactly(32))
	}
	u.exactly(64)
	u.choose(len(u.b) == 0 && p.Load <= 255)
	if u.err != nil {
		return nil, u.err
	}
	return p, errors.Join(p.check(now), verifyStructure(p.Node, network, "tom-presence-v1", b))
}

// check holds a presence to what it may say at a time.
func (p *Presence) check(now time.Time) error {
	const day, skew = 86_400_000, 300_000
	ms := uint64(now.UnixMilli())
	ok := p.Made <= ms+skew && p.Until > p.Made && p.Until <= p.Made+day && p.Until > ms
	for i, r := range p.Roles {
		ok = ok && r.Role <= 255 && r.Until <= p.Made+day && (i == 0 || r.Role > p.Roles[i-1].Role)
	}
	for _, a := range p.Addrs {
		ok = ok && len(a) >= 1 && len(a) <= 128
	}
	if !ok {
		return errors.New("no presence of this time")
	}
	return nil
}
