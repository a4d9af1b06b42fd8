package wire

import (
	"bytes"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// Kind is what a record does.
type Kind uint8

// The kinds of record.
const (
	KindMessage  Kind = 1
	KindJoin     Kind = 2
	KindLeave    Kind = 3
	KindKick     Kind = 4
	KindRole     Kind = 5
	KindRename   Kind = 6
	KindSettings Kind = 7
	KindDissolve Kind = 8
	KindSnapshot Kind = 9
)

var kindNames = [...]string{"unknown", "message", "join", "leave", "kick", "role", "rename", "settings", "dissolve", "snapshot"}

// String returns the kind in one word.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// Receipted says whether the author of a record of this kind is told who has it. Whom
// a join lets in is not: in a group of a thousand that would be a million receipts
// that nobody looks at.
func (k Kind) Receipted() bool { return k != KindJoin }

// Record is an author's part of a log's entry.
//
//	0 group    bin 16
//	1 id       bin 16
//	2 kind     uint
//	3 author   bin 32   signs
//	4 time     uint     the author's
//	5 payload  bin      by kind: one of the payloads in this package
//	6 proof    bin      tom-group-record-v1, plain or batch (protocols/proof)
type Record struct {
	Group   GroupID
	ID      RecordID
	Kind    Kind
	Author  protocols.Key
	Time    Millis
	Payload []byte
	Proof   []byte
	body    []byte // what the proof covers, as received
	exact   []byte
	batch   *batch // that the record came in a part of; nil once that is verified
}

// MaxRecord is the length of the longest record, in bytes.
const MaxRecord = 256 << 10

func (r *Record) count() int { return 7 }

func (r *Record) appendBody(dst []byte) []byte {
	return msgp.AppendBytes(r.appendName(dst), r.Payload)
}

// appendName appends what stands before the payload.
func (r *Record) appendName(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, r.Group[:])
	dst = msgp.AppendBytes(dst, r.ID[:])
	dst = msgp.AppendUint8(dst, uint8(r.Kind))
	dst = msgp.AppendBytes(dst, r.Author[:])
	return msgp.AppendUint64(dst, uint64(r.Time))
}

func (r *Record) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(r.appendBody(dst), r.Proof)
}

func (r *Record) readFields(d *decoder) {
	r.Group = d.b16()
	r.ID = d.b16()
	r.Kind = Kind(d.uintUpTo(uint64(KindSnapshot)))
	r.Author = d.key()
	r.Time = d.time()
	r.Payload = d.bin(MaxRecord)
	r.Proof = d.bin(proof.MaxSize)
	if d.err == nil && (r.Kind == 0 || proof.Check(r.Proof) != nil) {
		d.fail("a kind or proof that is none")
	}
}

// SignRecords returns the records encoded and signed: one with a plain
// signature, several as a batch. Author is the signer's key in all of them.
func SignRecords(s protocols.Signer, records []Record) [][]byte {
	items := make([]proof.Item, len(records))
	for i := range records {
		records[i].Author = s.Public()
		items[i] = proof.Item{Tag: protocols.TagGroupRecord, Message: records[i].appendBody(nil)}
	}
	encoded := make([][]byte, len(records))
	for i, p := range proof.Sign(s, items) {
		r := records[i]
		r.Proof = p
		encoded[i] = appendArray(nil, &r)
	}
	return encoded
}

// ParseRecord reads a record. Its proof has the form of one and is not
// verified. Payload and Proof alias b, which must stay as it is.
func ParseRecord(b []byte) (*Record, error) {
	r := new(Record)
	if err := parseExact(b, MaxRecord, r); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r.keep(b)
	return r, nil
}

// keep notes the bytes that the record was read from.
func (r *Record) keep(b []byte) {
	r.exact, r.body = b, b[1:len(b)-binSize(len(r.Proof))]
}

// binSize is how long a bin of n bytes is, header included.
func binSize(n int) int {
	switch {
	case n < 1<<8:
		return 2 + n
	case n < 1<<16:
		return 3 + n
	default:
		return 5 + n
	}
}

// A Prover verifies proofs. *proof.Verifier is one.
type Prover interface {
	// VerifyAll returns an error if any of the claims is false.
	VerifyAll(claims []proof.Claim) error
}

// Verify checks that the record is its author's.
func (r *Record) Verify(p Prover) error { return VerifyAll(p, r) }

// VerifyAll checks that records are their authors', in one go. An error says that one is
// not, and not which.
func VerifyAll(p Prover, records ...*Record) error {
	claims := make([]proof.Claim, 0, len(records))
	for i, r := range records {
		switch {
		case r.batch == nil:
			claims = append(claims, proof.Claim{Author: r.Author, Tag: protocols.TagGroupRecord, Message: r.body, Proof: r.Proof})
		case !r.batch.good && (i == 0 || records[i-1].batch != r.batch):
			claims = append(claims, proof.Claim{Author: r.batch.author, Root: &r.batch.root})
		}
	}
	if err := p.VerifyAll(claims); err != nil {
		return err
	}
	for _, r := range records {
		if r.batch != nil {
			r.batch.good, r.batch = true, nil
		}
	}
	return nil
}

// Bytes returns the record as it was parsed. It must not be changed.
func (r *Record) Bytes() []byte { return r.exact }

// Name returns what names the record in a group.
func (r *Record) Name() RecordName { return RecordName{Author: r.Author, ID: r.ID} }

// Same says whether the two are one record: two of one name may differ, and
// even one record may have two proofs.
func (r *Record) Same(o *Record) bool { return bytes.Equal(r.body, o.body) }

// RecordName names a record: ids are unique only by author.
type RecordName struct {
	Author protocols.Key
	ID     RecordID
}
