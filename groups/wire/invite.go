package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Invite lets one peer, or whoever holds a link, into a group. What it says of
// roster and log are the joiner's roots: it accepts nothing older.
//
//	 0 issuer          bin 32   signs; an admin
//	 1 charter         bin
//	 2 for             bin 32?  the peer it is for
//	 3 bearer          bin 32?  the public half of the link's key; exactly one of the two
//	 4 uses            uint     how many may join by it, at least 1
//	 5 expires         uint
//	 6 roster version  uint
//	 7 roster hash     bin 32
//	 8 seq             uint
//	 9 log hash        bin 32   up to seq
//	10 made            uint
//	11 sig             bin 64   tom-group-invite-v1
type Invite struct {
	Issuer     protocols.Key
	Charter    []byte
	For        protocols.Key // zero: a bearer's
	Bearer     protocols.Key // zero: a peer's
	Uses       uint64
	Expires    Millis
	Roster     RosterVersion
	RosterHash RosterHash
	Seq        Seq
	Log        LogHash
	Made       Millis
	signed
}

// MaxInvite is the length of the longest invite, in bytes.
const MaxInvite = 1 + 34 + 3 + MaxCharter + 34 + 1 + 9 + 9 + 9 + 34 + 9 + 34 + 9 + 66

// MaxInviteLife is how long an invite may be good for, in milliseconds.
const MaxInviteLife Millis = 24 * 3600 * 1000

func (i *Invite) count() int            { return 11 }
func (i *Invite) tag() protocols.Tag    { return protocols.TagGroupInvite }
func (i *Invite) signer() protocols.Key { return i.Issuer }

func (i *Invite) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, i.Issuer[:])
	dst = msgp.AppendBytes(dst, i.Charter)
	dst = appendOptionalKey(dst, i.For)
	dst = appendOptionalKey(dst, i.Bearer)
	dst = msgp.AppendUint64(dst, i.Uses)
	dst = msgp.AppendUint64(dst, uint64(i.Expires))
	dst = msgp.AppendUint64(dst, uint64(i.Roster))
	dst = msgp.AppendBytes(dst, i.RosterHash[:])
	dst = msgp.AppendUint64(dst, uint64(i.Seq))
	dst = msgp.AppendBytes(dst, i.Log[:])
	return msgp.AppendUint64(dst, uint64(i.Made))
}

func (i *Invite) readFields(d *decoder) {
	i.Issuer = d.key()
	i.Charter = d.bin(MaxCharter)
	i.For = d.optionalKey()
	i.Bearer = d.optionalKey()
	i.Uses = d.uint()
	i.Expires = d.time()
	i.Roster = RosterVersion(d.uint())
	i.RosterHash = d.b32()
	i.Seq = Seq(d.uint())
	i.Log = d.b32()
	i.Made = d.time()
	if d.err == nil {
		i.check(d)
	}
}

func (i *Invite) check(d *decoder) {
	none := protocols.Key{}
	switch {
	case (i.For == none) == (i.Bearer == none):
		d.fail("not for exactly one of a peer and a bearer")
	case i.Uses == 0 || (i.For != none && i.Uses != 1):
		d.fail("uses that do not fit")
	case i.Expires <= i.Made || i.Expires-i.Made > MaxInviteLife:
		d.fail("good for more than 24 h")
	}
}

// Sign returns the signed invite. Issuer is the signer's key.
func (i Invite) Sign(s protocols.Signer) []byte {
	i.Issuer = s.Public()
	return sign(s, &i)
}

// ParseInvite reads an invite and verifies it, and the charter in it. Whether
// the issuer is an admin is for the roster to say.
func ParseInvite(v Verifier, b []byte) (*Invite, *Charter, error) {
	i, err := verified(v, b, MaxInvite, &Invite{})
	if err != nil {
		return nil, nil, fmt.Errorf("invite: %w", err)
	}
	c, err := ParseCharter(v, i.Charter)
	if err != nil {
		return nil, nil, fmt.Errorf("invite: %w", err)
	}
	return i, c, nil
}

// Hash returns what rosters name the invite by.
func (i *Invite) Hash() [32]byte { return i.hash }
