package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"
)

// Invitation is an invite and what one needs besides to come in: the body of a
// message of type tom/group-invite, and, with the bearer's seed last, of a link.
//
//	0 invite        bin
//	1 topic secret  bin 32
//	2 name          str     what the inviter calls itself
//	3 addrs         [bin]   binary multiaddrs of members, at most 8
//	4 seed          bin 32  of the bearer key; in a link only
type Invitation struct {
	Invite []byte
	Secret [32]byte
	Name   string
	Addrs  [][]byte
	Seed   []byte // nil: not a link's
}

// Bounds of an invitation.
const (
	maxAddrs      = 8
	maxAddr       = 512
	maxInvitation = MaxInvite + maxAddrs*(maxAddr+3) + 256
)

// LinkPrefix is what a link begins with.
const LinkPrefix = "tom:join/"

// ErrLink is returned for a text that is no link into a group.
var ErrLink = errors.New("not a link into a group: it looks like tom:join/…")

func (i *Invitation) count() int {
	if i.Seed != nil {
		return 5
	}
	return 4
}

func (i *Invitation) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, i.Invite)
	dst = msgp.AppendBytes(dst, i.Secret[:])
	dst = msgp.AppendString(dst, i.Name)
	dst = appendBins(dst, i.Addrs)
	if i.Seed != nil {
		dst = msgp.AppendBytes(dst, i.Seed)
	}
	return dst
}

func (i *Invitation) readFields(d *decoder) {
	i.Invite = d.bin(MaxInvite)
	i.Secret = d.b32()
	i.Name = d.text(MaxName)
	i.Addrs = d.bins(maxAddrs, maxAddr)
	if i.Seed != nil {
		d.fixed(i.Seed)
	}
}

// Append appends the encoded invitation.
func (i *Invitation) Append(dst []byte) []byte { return appendArray(dst, i) }

// ParseInvitation reads the body of a message of type tom/group-invite. It
// aliases b.
func ParseInvitation(b []byte) (*Invitation, error) {
	i := new(Invitation)
	if err := parseExact(b, maxInvitation, i); err != nil {
		return nil, fmt.Errorf("invitation: %w", err)
	}
	return i, nil
}

// Link returns the invitation as a text that whoever has it can join with. It
// must have a seed.
func (i *Invitation) Link() string {
	return LinkPrefix + base64.RawURLEncoding.EncodeToString(i.Append(nil))
}

// ParseLink is the inverse of Link.
func ParseLink(text string) (*Invitation, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(text), LinkPrefix)
	if !ok || len(text) > base64.RawURLEncoding.EncodedLen(maxInvitation) {
		return nil, ErrLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrLink
	}
	i := &Invitation{Seed: make([]byte, ed25519.SeedSize)}
	if err := parseExact(b, maxInvitation, i); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLink, err)
	}
	return i, nil
}
