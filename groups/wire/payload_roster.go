package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Join is the payload of a join record.
//
//	0 invite     bin?     the invite; nil in an open group
//	1 signature  bin 64?  of the bearer key; nil unless the invite is a bearer's
//	2 name       str      what the joiner calls itself
type Join struct {
	Invite    []byte
	Signature []byte
	Name      string
}

func (j *Join) count() int { return 3 }

func (j *Join) appendFields(dst []byte) []byte {
	dst = appendOptionalBin(dst, j.Invite)
	dst = appendOptionalBin(dst, j.Signature)
	return msgp.AppendString(dst, j.Name)
}

func (j *Join) readFields(d *decoder) {
	j.Invite = d.optionalBin(MaxInvite)
	j.Signature = d.optionalBin(protocols.SignatureSize)
	j.Name = d.text(MaxName)
	if d.err == nil && j.Signature != nil && (j.Invite == nil || len(j.Signature) != protocols.SignatureSize) {
		d.fail("a signature that is none")
	}
}

// Append appends the encoded payload.
func (j *Join) Append(dst []byte) []byte { return appendArray(dst, j) }

// ParseJoin reads the payload of a join record. It aliases b.
func ParseJoin(b []byte) (*Join, error) {
	j := new(Join)
	return j, parseExact(b, MaxInvite+256, j)
}

// joinBody returns what a bearer key signs: group and joiner.
func joinBody(g GroupID, joiner protocols.Key) []byte {
	return msgp.AppendBytes(msgp.AppendBytes(nil, g[:]), joiner[:])
}

// SignJoin signs, with a bearer key, that the joiner joins the group.
func SignJoin(bearer protocols.Signer, g GroupID, joiner protocols.Key) []byte {
	sig := bearer.Sign(protocols.TagGroupJoin, joinBody(g, joiner))
	return sig[:]
}

// VerifyJoin says whether the bearer key let the joiner into the group.
func VerifyJoin(v Verifier, bearer protocols.Key, g GroupID, joiner protocols.Key, sig []byte) bool {
	return v.Verify(bearer, protocols.TagGroupJoin, joinBody(g, joiner), sig)
}

// Target is the payload of a leave, kick or role record: whom it is about, and
// the target's current admission or role record, without which it is void.
//
//	leave  [names bin 16]
//	kick   [member bin 32, names bin 16]
//	role   [member bin 32, role uint, names bin 16]
type Target struct {
	Kind   Kind
	Member protocols.Key // zero in a leave: its author
	Role   Role          // of a role record
	Names  RecordID
}

func (t *Target) count() int {
	switch t.Kind {
	case KindLeave:
		return 1
	case KindKick:
		return 2
	default:
		return 3
	}
}

func (t *Target) appendFields(dst []byte) []byte {
	if t.Kind != KindLeave {
		dst = msgp.AppendBytes(dst, t.Member[:])
	}
	if t.Kind == KindRole {
		dst = msgp.AppendUint8(dst, uint8(t.Role))
	}
	return msgp.AppendBytes(dst, t.Names[:])
}

func (t *Target) readFields(d *decoder) {
	if t.Kind != KindLeave {
		t.Member = d.key()
	}
	if t.Kind == KindRole {
		t.Role = readRole(d)
	}
	t.Names = d.b16()
}

// Append appends the encoded payload.
func (t *Target) Append(dst []byte) []byte { return appendArray(dst, t) }

// ParseTarget reads the payload of a leave, kick or role record.
func ParseTarget(kind Kind, b []byte) (*Target, error) {
	t := &Target{Kind: kind}
	return t, parseExact(b, 128, t)
}

// Rename is the payload of a rename record: the group's new name.
//
//	0 name  str
type Rename struct{ Name string }

func (r *Rename) count() int                     { return 1 }
func (r *Rename) appendFields(dst []byte) []byte { return msgp.AppendString(dst, r.Name) }
func (r *Rename) readFields(d *decoder)          { r.Name = d.text(MaxName) }

// Append appends the encoded payload.
func (r *Rename) Append(dst []byte) []byte { return appendArray(dst, r) }

// ParseRename reads the payload of a rename record.
func ParseRename(b []byte) (*Rename, error) {
	r := new(Rename)
	return r, parseExact(b, 128, r)
}

// Append appends the encoded settings: the payload of a settings record.
func (s *Settings) Append(dst []byte) []byte { return appendArray(dst, s) }

// ParseSettings reads the payload of a settings record.
func ParseSettings(b []byte) (*Settings, error) {
	s := new(Settings)
	return s, parseExact(b, 512, s)
}

// Dissolve is the payload of a dissolve record: an empty array.
type Dissolve struct{}

func (Dissolve) count() int                     { return 0 }
func (Dissolve) appendFields(dst []byte) []byte { return dst }
func (Dissolve) readFields(*decoder)            {}

// Append appends the encoded payload.
func (Dissolve) Append(dst []byte) []byte { return appendArray(dst, Dissolve{}) }

// ParseDissolve checks the payload of a dissolve record.
func ParseDissolve(b []byte) error { return parseExact(b, 1, Dissolve{}) }
