package wire

import (
	"bytes"
	"crypto/sha256"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Role is what a member may do.
type Role uint8

// The roles.
const (
	RoleMember Role = 1
	RoleAdmin  Role = 2
)

// String returns the role in one word.
func (r Role) String() string {
	if r == RoleAdmin {
		return "admin"
	}
	return "member"
}

// Member is one line of a roster.
type Member struct {
	Node       protocols.Key
	Role       Role
	Admission  RecordID // the join record it came in by; zero for the creator
	RoleRecord RecordID // the record that gave it its role; zero: none did
	Name       string   // at most MaxName bytes
}

// SpentInvite is an invite that was used and has uses left, or none.
type SpentInvite struct {
	Hash    [32]byte // of the invite
	Left    uint64   // uses left
	Expires Millis
}

// Kicked is one who may return only by an invite that is made for it, and later.
type Kicked struct {
	Node protocols.Key
	At   RosterVersion // that the kick made
}

// MaxInvites is how many spent invites a roster may hold.
const MaxInvites = 1024

// MaxKicked is how many kicks a roster remembers, the newest.
const MaxKicked = 256

// Roster is who belongs to a group, at a version, and the payload of a snapshot.
//
//	0 version   uint  count of the roster records with effect
//	1 settings  [5 elements]
//	2 members   [[node bin 32, role uint, admission bin 16, role record bin 16?, name str]] by seniority
//	3 invites   [[hash bin 32, uses left uint, expires uint]] by hash
//	4 removal   uint  the version that the last leave or kick made, 0 for none
//	5 voiding   uint  the version that the last kick or demotion made, 0 for none
//	6 kicked    [[node bin 32, version uint]] by version
type Roster struct {
	Version  RosterVersion
	Settings Settings
	Members  []Member
	Invites  []SpentInvite
	Removal  RosterVersion // chains made before it are worn
	Voiding  RosterVersion // bearer invites made before it are void
	Kicked   []Kicked
}

func (r *Roster) count() int { return 7 }

func (r *Roster) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint64(dst, uint64(r.Version))
	dst = appendArray(dst, &r.Settings)
	dst = msgp.AppendArrayHeader(dst, uint32(len(r.Members)))
	for i := range r.Members {
		dst = appendArray(dst, &r.Members[i])
	}
	dst = msgp.AppendArrayHeader(dst, uint32(len(r.Invites)))
	for i := range r.Invites {
		dst = appendArray(dst, &r.Invites[i])
	}
	dst = msgp.AppendUint64(dst, uint64(r.Removal))
	dst = msgp.AppendUint64(dst, uint64(r.Voiding))
	dst = msgp.AppendArrayHeader(dst, uint32(len(r.Kicked)))
	for i := range r.Kicked {
		dst = appendArray(dst, &r.Kicked[i])
	}
	return dst
}

func (r *Roster) readFields(d *decoder) {
	r.Version = RosterVersion(d.uint())
	r.Settings.read(d)
	r.Members = make([]Member, d.size(MaxMembers))
	for i := range r.Members {
		d.array(5)
		r.Members[i].readFields(d)
	}
	r.readInvites(d)
	r.Removal = RosterVersion(d.uintUpTo(uint64(r.Version)))
	r.Voiding = RosterVersion(d.uintUpTo(uint64(r.Version)))
	r.readKicked(d)
}

func (r *Roster) readInvites(d *decoder) {
	r.Invites = make([]SpentInvite, d.size(MaxInvites))
	for i := range r.Invites {
		d.array(r.Invites[i].count())
		r.Invites[i].readFields(d)
		if i > 0 && bytes.Compare(r.Invites[i-1].Hash[:], r.Invites[i].Hash[:]) >= 0 {
			d.fail("invites not ascending")
		}
	}
}

func (r *Roster) readKicked(d *decoder) {
	r.Kicked = make([]Kicked, d.size(MaxKicked))
	for i := range r.Kicked {
		d.array(r.Kicked[i].count())
		r.Kicked[i].readFields(d)
		if r.Kicked[i].At > r.Version || (i > 0 && r.Kicked[i-1].At >= r.Kicked[i].At) {
			d.fail("kicks not ascending")
		}
	}
}

func (m *Member) count() int { return 5 }

func (m *Member) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, m.Node[:])
	dst = msgp.AppendUint8(dst, uint8(m.Role))
	dst = msgp.AppendBytes(dst, m.Admission[:])
	if m.RoleRecord == (RecordID{}) {
		dst = msgp.AppendNil(dst)
	} else {
		dst = msgp.AppendBytes(dst, m.RoleRecord[:])
	}
	return msgp.AppendString(dst, m.Name)
}

func (m *Member) readFields(d *decoder) {
	m.Node = d.key()
	m.Role = readRole(d)
	m.Admission = d.b16()
	if !d.none() {
		m.RoleRecord = d.b16()
		if d.err == nil && m.RoleRecord == (RecordID{}) {
			d.fail("zeros where nil is due")
		}
	}
	m.Name = d.text(MaxName)
}

func readRole(d *decoder) Role {
	r := Role(d.uintUpTo(uint64(RoleAdmin)))
	if d.err == nil && r == 0 {
		d.fail("no role")
	}
	return r
}

func (s *SpentInvite) count() int { return 3 }

func (s *SpentInvite) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, s.Hash[:])
	dst = msgp.AppendUint64(dst, s.Left)
	return msgp.AppendUint64(dst, uint64(s.Expires))
}

func (s *SpentInvite) readFields(d *decoder) {
	s.Hash = d.b32()
	s.Left = d.uint()
	s.Expires = d.time()
}

func (k *Kicked) count() int { return 2 }

func (k *Kicked) appendFields(dst []byte) []byte {
	return msgp.AppendUint64(msgp.AppendBytes(dst, k.Node[:]), uint64(k.At))
}

func (k *Kicked) readFields(d *decoder) {
	k.Node = d.key()
	k.At = RosterVersion(d.uint())
}

// Append appends the encoded roster.
func (r *Roster) Append(dst []byte) []byte { return appendArray(dst, r) }

// ParseRoster reads a roster.
func ParseRoster(b []byte) (*Roster, error) {
	r := new(Roster)
	return r, parseExact(b, MaxRecord, r)
}

// Hash returns SHA-256("tom-group-roster-v1" ‖ the encoded roster).
func (r *Roster) Hash() RosterHash {
	return sha256.Sum256(r.Append([]byte(rosterLabel)))
}
