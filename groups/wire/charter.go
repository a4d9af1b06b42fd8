package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Bounds of a group.
const (
	MaxName      = 64   // bytes of a name, the group's or a member's
	MaxMembers   = 1024 // of a group
	MaxHubRelays = 8    // non-members that may be hub
)

// Settings are what admins may change.
type Settings struct {
	Name      string          // at most MaxName bytes
	Open      bool            // whether one may join without an invite
	Max       uint64          // members, 1 to MaxMembers
	Beat      Millis          // between two beats to shadow and candidate, MinBeat to MaxBeat
	HubRelays []protocols.Key // non-members that may be hub
}

// Bounds of Settings.Beat, in milliseconds.
const (
	DefaultBeat Millis = 500
	MinBeat     Millis = 100
	MaxBeat     Millis = 60_000
)

func (s *Settings) count() int { return 5 }

func (s *Settings) appendFields(dst []byte) []byte {
	dst = msgp.AppendString(dst, s.Name)
	dst = msgp.AppendBool(dst, s.Open)
	dst = msgp.AppendUint64(dst, s.Max)
	dst = msgp.AppendUint64(dst, uint64(s.Beat))
	return appendKeys(dst, s.HubRelays)
}

func (s *Settings) readFields(d *decoder) {
	s.Name = d.text(MaxName)
	s.Open = d.bool()
	s.Max = d.uintUpTo(MaxMembers)
	s.Beat = Millis(d.uintUpTo(uint64(MaxBeat)))
	s.HubRelays = d.keys(MaxHubRelays)
	if s.Max == 0 || s.Beat < MinBeat {
		d.fail("settings out of bounds")
	}
}

// read reads the settings as an element.
func (s *Settings) read(d *decoder) {
	d.array(s.count())
	s.readFields(d)
}

// Charter is the birth of a group.
//
//	0 creator   bin 32   signs; the first admin
//	1 nonce     bin 16
//	2 settings  [name str, open bool, max uint, beat uint, hub relays [bin 32]]
//	3 sig       bin 64   tom-group-charter-v1
type Charter struct {
	Creator  protocols.Key
	Nonce    [16]byte
	Settings Settings
	signed
}

// MaxCharter is the length of the longest charter, in bytes.
const MaxCharter = 1 + 34 + 18 + (1 + 2 + MaxName + 1 + 3 + 5 + 1 + MaxHubRelays*34) + 66

func (c *Charter) count() int            { return 3 }
func (c *Charter) tag() protocols.Tag    { return protocols.TagGroupCharter }
func (c *Charter) signer() protocols.Key { return c.Creator }

func (c *Charter) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, c.Creator[:])
	dst = msgp.AppendBytes(dst, c.Nonce[:])
	return appendArray(dst, &c.Settings)
}

func (c *Charter) readFields(d *decoder) {
	c.Creator = d.key()
	c.Nonce = d.b16()
	c.Settings.read(d)
}

// Sign returns the signed charter. Creator is the signer's key.
func (c Charter) Sign(s protocols.Signer) []byte {
	c.Creator = s.Public()
	return sign(s, &c)
}

// ParseCharter reads a charter and verifies it.
func ParseCharter(v Verifier, b []byte) (*Charter, error) {
	c, err := verified(v, b, MaxCharter, &Charter{})
	if err != nil {
		return nil, fmt.Errorf("charter: %w", err)
	}
	return c, nil
}

// Group returns the id of the charter's group.
func (c *Charter) Group() GroupID { return GroupOf(c.exact) }

// Hash returns the charter's hash: what the first hub record links to, and the
// hash of the empty log.
func (c *Charter) Hash() [32]byte { return c.hash }
