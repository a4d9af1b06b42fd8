package wire

import (
	"fmt"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// MaxWaiting is how many records a receipt may except.
const MaxWaiting = 256

// Receipt is a member's word that it holds the log up to a place, durably, and
// can open all of it but what it names.
//
//	0 group     bin 16
//	1 member    bin 32   signs
//	2 number    uint     of the last entry it covers
//	3 primary   bin 32   of the last entry it covers
//	4 seq       uint     of the last entry it covers
//	5 log hash  bin 32   of the log up to there
//	6 read      uint     seq up to which a person has read, at most seq
//	7 waiting   [uint]   seqs whose key is missing, ascending, at most 256
//	8 time      uint
//	9 sig       bin 64   tom-group-receipt-v1
type Receipt struct {
	Group   GroupID
	Member  protocols.Key
	Last    Place
	Log     LogHash
	Read    Seq
	Waiting []Seq
	Time    Millis
	signed
	read []byte // what it was read from, until it is verified
}

// MaxReceipt is the length of the longest receipt, in bytes.
const MaxReceipt = 1 + 18 + 34 + 9 + 34 + 9 + 34 + 9 + (3 + 9*MaxWaiting) + 9 + 66

func (r *Receipt) count() int            { return 9 }
func (r *Receipt) tag() protocols.Tag    { return protocols.TagGroupReceipt }
func (r *Receipt) signer() protocols.Key { return r.Member }

func (r *Receipt) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, r.Group[:])
	dst = msgp.AppendBytes(dst, r.Member[:])
	dst = r.Last.appendFields(dst)
	dst = msgp.AppendBytes(dst, r.Log[:])
	dst = msgp.AppendUint64(dst, uint64(r.Read))
	dst = msgp.AppendArrayHeader(dst, uint32(len(r.Waiting)))
	for _, s := range r.Waiting {
		dst = msgp.AppendUint64(dst, uint64(s))
	}
	return msgp.AppendUint64(dst, uint64(r.Time))
}

func (r *Receipt) readFields(d *decoder) {
	r.Group = d.b16()
	r.Member = d.key()
	r.Last.readFields(d)
	r.Log = d.b32()
	r.Read = Seq(d.uintUpTo(uint64(r.Last.Seq)))
	r.readWaiting(d)
	r.Time = d.time()
}

func (r *Receipt) readWaiting(d *decoder) {
	r.Waiting = make([]Seq, d.size(MaxWaiting))
	for i := range r.Waiting {
		r.Waiting[i] = Seq(d.uintUpTo(uint64(r.Last.Seq)))
		if r.Waiting[i] == 0 || (i > 0 && r.Waiting[i] <= r.Waiting[i-1]) {
			d.fail("waiting records not ascending")
		}
	}
}

// Sign returns the signed receipt. Member is the signer's key.
func (r Receipt) Sign(s protocols.Signer) []byte {
	r.Member = s.Public()
	return sign(s, &r)
}

// ReadReceipt reads a receipt without verifying it, for a hub that passes it on:
// those that count it verify it. Until then it aliases b.
func ReadReceipt(b []byte) (*Receipt, error) {
	r := &Receipt{read: b}
	if err := parseExact(b, MaxReceipt, &withSignature{statement: r}); err != nil {
		return nil, fmt.Errorf("group receipt: %w", err)
	}
	return r, nil
}

// VerifyReceipts says which of the receipts, that were read only, their members signed.
func VerifyReceipts(v Verifier, list []*Receipt) (good []bool) {
	claims := make([]protocols.Signed, len(list))
	for i, r := range list {
		claims[i] = protocols.SignedStructure(r.Member, r.tag(), r.read)
		r.read = nil
	}
	return v.VerifyAll(claims)
}

// ParseReceipt reads a receipt and verifies it.
func ParseReceipt(v Verifier, b []byte) (*Receipt, error) {
	r, err := verified(v, b, MaxReceipt, &Receipt{})
	if err != nil {
		return nil, fmt.Errorf("group receipt: %w", err)
	}
	return r, nil
}

// Covers says whether it is for the record at a seq.
func (r *Receipt) Covers(s Seq) bool { return r.Last.Seq >= s && !slices.Contains(r.Waiting, s) }
