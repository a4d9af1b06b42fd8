package wire

import (
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Cause is why a hub record was made.
type Cause uint8

// The causes of a hub record.
const (
	CauseFirst     Cause = 1 // the group's first
	CauseChange    Cause = 2 // another shadow or candidate, in the same term
	CausePromotion Cause = 3 // the shadow or candidate claims
	CauseElection  Cause = 4 // a member that the linked record does not name claims
	CauseHanded    Cause = 5 // the primary before handed over
	CauseAdmin     Cause = 6 // an admin named the primary
	CauseMerge     Cause = 7 // of two branches
)

var causeNames = [...]string{"unknown", "first", "change", "promotion", "election", "handed over", "admin", "merge"}

// String returns the cause in a word or two.
func (c Cause) String() string {
	if int(c) >= len(causeNames) {
		return causeNames[0]
	}
	return causeNames[c]
}

// HubRecord names the hub chain of a group. Every change is a record.
//
//	 0 group      bin 16
//	 1 number     uint      of the term
//	 2 version    uint      within the term, from 1
//	 3 primary    bin 32    signs
//	 4 shadow     bin 32?
//	 5 candidate  bin 32?
//	 6 links      [bin 32]  1, or 2 in a merge: the charter (first), the record
//	                        that opened the term (version 2 and up), the record
//	                        continued, the two records joined
//	 7 cause      uint      1 first, 2 change, 3 promotion, 4 election, 5 handed
//	                        over, 6 admin, 7 merge
//	 8 seq        uint      the log begins after it
//	 9 log hash   bin 32    up to seq
//	10 admin      bin 32?   who names the primary: an admin with cause 6, the
//	                        primary before with cause 5
//	11 sig        bin 64    tom-group-hub-v1
//	12 admin sig  bin 64?   its signature over the same bytes
type HubRecord struct {
	Group     GroupID
	Number    Number
	Version   Version
	Primary   protocols.Key
	Shadow    protocols.Key // zero: none
	Candidate protocols.Key // zero: none
	Links     []HubHash
	Cause     Cause
	Seq       Seq
	Log       LogHash
	Admin     protocols.Key // zero: none
	signed
}

// MaxHubRecord is the length of the longest hub record, in bytes.
const MaxHubRecord = 1 + 18 + 9 + 9 + 3*34 + 1 + 2*34 + 1 + 9 + 34 + 34 + 66 + 66

func (h *HubRecord) count() int            { return 11 }
func (h *HubRecord) tag() protocols.Tag    { return protocols.TagGroupHub }
func (h *HubRecord) signer() protocols.Key { return h.Primary }

func (h *HubRecord) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, h.Group[:])
	dst = msgp.AppendUint64(dst, uint64(h.Number))
	dst = msgp.AppendUint64(dst, uint64(h.Version))
	dst = msgp.AppendBytes(dst, h.Primary[:])
	dst = appendOptionalKey(dst, h.Shadow)
	dst = appendOptionalKey(dst, h.Candidate)
	dst = msgp.AppendArrayHeader(dst, uint32(len(h.Links)))
	for i := range h.Links {
		dst = msgp.AppendBytes(dst, h.Links[i][:])
	}
	dst = msgp.AppendUint8(dst, uint8(h.Cause))
	dst = msgp.AppendUint64(dst, uint64(h.Seq))
	dst = msgp.AppendBytes(dst, h.Log[:])
	return appendOptionalKey(dst, h.Admin)
}

func (h *HubRecord) readFields(d *decoder) {
	h.Group = d.b16()
	h.Number = Number(d.uint())
	h.Version = Version(d.uint())
	h.Primary = d.key()
	h.Shadow = d.optionalKey()
	h.Candidate = d.optionalKey()
	h.Links = make([]HubHash, d.size(2))
	for i := range h.Links {
		h.Links[i] = d.b32()
	}
	h.Cause = Cause(d.uintUpTo(uint64(CauseMerge)))
	h.Seq = Seq(d.uint())
	h.Log = d.b32()
	h.Admin = d.optionalKey()
	if d.err == nil {
		d.err = h.check()
	}
}

// check says what makes no sense whoever signed it.
func (h *HubRecord) check() error {
	none := protocols.Key{}
	links := 1
	if h.Cause == CauseMerge {
		links = 2
	}
	switch {
	case h.Number == 0 || h.Version == 0 || h.Number > MaxNumber:
		return errors.New("a number out of bounds")
	case h.Cause == 0 || (h.Cause == CauseChange) != (h.Version > 1) || (h.Cause == CauseFirst && h.Number != 1):
		return errors.New("a cause that does not fit")
	case len(h.Links) != links || (links == 2 && h.Links[0] == h.Links[1]):
		return errors.New("links that do not fit its cause")
	case (h.Cause == CauseAdmin || h.Cause == CauseHanded) != (h.Admin != none):
		return errors.New("an admin that does not fit its cause")
	case h.Shadow == h.Primary || h.Candidate == h.Primary || (h.Shadow != none && h.Shadow == h.Candidate):
		return errors.New("one node in two places")
	}
	return nil
}

// MaxNumber is the largest number of a term: far beyond what a group can reach
// by failing over, and far below where adding one would overflow.
const MaxNumber Number = 1 << 48

// signatures are a hub record with both its signatures.
type signatures struct {
	*HubRecord
	sig, admin []byte
}

func (s *signatures) count() int { return s.HubRecord.count() + 2 }

func (s *signatures) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(s.HubRecord.appendFields(dst), s.sig)
	return appendOptionalBin(dst, s.admin)
}

func (s *signatures) readFields(d *decoder) {
	s.HubRecord.readFields(d)
	s.sig = d.bin(protocols.SignatureSize)
	s.admin = d.optionalBin(protocols.SignatureSize)
	if d.err == nil && (s.admin != nil) != (s.Admin != protocols.Key{}) {
		d.fail("an admin without signature, or the reverse")
	}
}

// body returns what both signatures cover.
func (h *HubRecord) body() []byte { return h.appendFields(nil) }

// Sign returns the signed hub record. Primary is the signer's key. A record
// that an admin names needs Admin set and the admin's signature: see SignAdmin.
func (h HubRecord) Sign(s protocols.Signer, admin []byte) []byte {
	h.Primary = s.Public()
	sig := s.Sign(h.tag(), h.body())
	return appendArray(nil, &signatures{HubRecord: &h, sig: sig[:], admin: admin})
}

// Draft returns a record in which the signer, an admin or the primary before,
// names Primary, as it goes to the one that is named: with zeros for Primary's
// signature. Admin is the signer's key.
func (h HubRecord) Draft(s protocols.Signer) []byte {
	h.Admin = s.Public()
	return appendArray(nil, &signatures{HubRecord: &h, sig: make([]byte, protocols.SignatureSize), admin: h.SignAdmin(s)})
}

// ParseDraft reads a draft and verifies the signature of who made it, which is
// what Sign needs.
func ParseDraft(v Verifier, b []byte) (h *HubRecord, admin []byte, err error) {
	s := signatures{HubRecord: &HubRecord{}}
	if err := parseExact(b, MaxHubRecord, &s); err != nil {
		return nil, nil, fmt.Errorf("draft: %w", err)
	}
	if s.admin == nil || !v.Verify(s.Admin, s.tag(), s.body(), s.admin) {
		return nil, nil, fmt.Errorf("draft: %w", ErrSignature)
	}
	return s.HubRecord, append([]byte(nil), s.admin...), nil
}

// SignAdmin returns an admin's signature for a record in which it names
// Primary. Admin is the signer's key.
func (h HubRecord) SignAdmin(s protocols.Signer) []byte {
	h.Admin = s.Public()
	sig := s.Sign(h.tag(), h.body())
	return sig[:]
}

// ParseHubRecord reads a hub record and verifies its signature, or both.
// Whether the admin is one is for the roster to say.
func ParseHubRecord(v Verifier, b []byte) (*HubRecord, error) {
	s := signatures{HubRecord: &HubRecord{}}
	if err := parseExact(b, MaxHubRecord, &s); err != nil {
		return nil, fmt.Errorf("hub record: %w", err)
	}
	h, body := s.HubRecord, s.body()
	if !v.Verify(h.Primary, h.tag(), body, s.sig) {
		return nil, fmt.Errorf("hub record: %w", ErrSignature)
	}
	if s.admin != nil && !v.Verify(h.Admin, h.tag(), body, s.admin) {
		return nil, fmt.Errorf("hub record: admin: %w", ErrSignature)
	}
	h.keep(append([]byte(nil), b...), hashOf(v, h.tag(), body))
	return h, nil
}

// Hash returns what links name the record by.
func (h *HubRecord) Hash() HubHash { return h.hash }

// Term returns the term the record belongs to.
func (h *HubRecord) Term() Term {
	if h.Version > 1 {
		return Term{Number: h.Number, Opened: h.Links[0]}
	}
	return Term{Number: h.Number, Opened: h.hash}
}

// Equivocates says whether the two records prove that one primary signed two
// chains for one version of its term.
func (h *HubRecord) Equivocates(o *HubRecord) bool {
	return h.Group == o.Group && h.Primary == o.Primary && h.Term() == o.Term() && h.Version == o.Version && h.hash != o.hash
}

// Names says whether the record names the node as shadow or candidate.
func (h *HubRecord) Names(k protocols.Key) bool { return k == h.Shadow || k == h.Candidate }
