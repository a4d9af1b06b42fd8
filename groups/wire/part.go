package wire

import (
	"slices"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// Records that one author signed as a batch mostly go together. In a page, and in a
// Publish, those that follow one another in it stand in one element:
//
//	0 author     bin 32
//	1 size       uint     of the batch
//	2 first      uint     the place there of the first of these
//	3 signature  bin 64
//	4 edges      bin      siblings outside, 32 bytes each: see proof.Shared
//	5 records    [[id bin, kind uint, later uint, same uint, payload bin]]
//
// Group and author stand once, the signature once, and of the paths only what does
// not come of the records themselves. Of each record stands what differs from the one
// before, for the first from one of zeros: the end of its id, how much later it is, and
// its payload behind so many bytes that are the same. The receiver makes of it each
// record, and entry, with its own proof, byte by byte as it was signed and stands in
// logs.
const (
	partFields   = 6
	recordFields = 5
	maxSame      = 64 // bytes of a payload: there a message names its chain
)

// batch is what proves that records that came in one part are their author's.
type batch struct {
	author protocols.Key
	root   proof.Root
	good   bool // verified
}

// appendParts appends an array of records, or of entries, those of batches in parts.
// What is no record of the group, or not said to be one, stands as it is.
func appendParts(dst []byte, g GroupID, list [][]byte, records []*Record) []byte {
	var ends []int
	size := msgp.ArrayHeaderSize
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && follows(g, records[end], records[end-1]) {
			end++
		}
		if end == i+1 {
			size += msgp.BytesPrefixSize + len(list[i])
		} else {
			size += partSize(records[i:end])
		}
		ends, i = append(ends, end), end
	}
	dst = msgp.AppendArrayHeader(slices.Grow(dst, size+MaxHead), uint32(len(ends))) // what a page has behind them, too
	from := 0
	for _, end := range ends {
		if end == from+1 {
			dst = msgp.AppendBytes(dst, list[from])
		} else {
			dst = appendPart(dst, records[from:end])
		}
		from = end
	}
	return dst
}

// partSize is about how long a part is, and seldom less.
func partSize(records []*Record) int {
	size := most + len(records[0].Proof)
	for _, r := range records {
		size += most/2 + len(r.Payload)
	}
	return size
}

// glanceAll reads those of a list that glance can read; nil stands for others.
func glanceAll(list [][]byte, entries bool) []*Record {
	records, space := make([]*Record, len(list)), make([]Record, len(list))
	for i, b := range list {
		if glance(&space[i], b, entries) {
			records[i] = &space[i]
		}
	}
	return records
}

// glance reads a record, or an entry that never stood elsewhere, in the shortest form
// as all that was verified; false for anything else.
func glance(r *Record, b []byte, entry bool) bool {
	d := decoder{left: b}
	if entry {
		d.array(2)
	}
	d.array(r.count())
	r.readFields(&d)
	return (!entry || d.none()) && d.end() == nil
}

// follows says whether a record stands in its batch behind another, and is not earlier.
func follows(g GroupID, r, before *Record) bool {
	return r != nil && before != nil && r.Author == before.Author && r.Group == g && before.Group == g && r.Time >= before.Time && proof.Follows(r.Proof, before.Proof)
}

// appendPart appends a part of records of which each follows the one before.
func appendPart(dst []byte, records []*Record) []byte {
	s, _ := proof.Share(records[0].Proof, records[len(records)-1].Proof)
	dst = msgp.AppendArrayHeader(dst, partFields)
	dst = msgp.AppendBytes(dst, records[0].Author[:])
	dst = msgp.AppendUint64(dst, uint64(s.Size))
	dst = msgp.AppendUint64(dst, uint64(s.First))
	dst = msgp.AppendBytes(dst, s.Signature)
	dst = msgp.AppendBytes(dst, s.Edges)
	dst = msgp.AppendArrayHeader(dst, uint32(len(records)))
	before := new(Record)
	for _, r := range records {
		same := alike(before.Payload, r.Payload, maxSame)
		dst = msgp.AppendArrayHeader(dst, recordFields)
		dst = msgp.AppendBytes(dst, r.ID[alike(before.ID[:], r.ID[:], len(r.ID)):])
		dst = msgp.AppendUint8(dst, uint8(r.Kind))
		dst = msgp.AppendUint64(dst, uint64(r.Time-before.Time))
		dst = msgp.AppendUint64(dst, uint64(same))
		dst = msgp.AppendBytes(dst, r.Payload[same:])
		before = r
	}
	return dst
}

// alike is how many bytes are the same at the beginning, up to a limit.
func alike(a, b []byte, limit int) int {
	limit = min(limit, len(a), len(b))
	for i := range limit {
		if a[i] != b[i] {
			return i
		}
	}
	return limit
}

// parts are records or entries as they were read, and of those that came in a part
// what they were read as.
type parts struct {
	list [][]byte
	read []*Entry // nil if there was no part; of others nil
}

func (p *parts) add(b []byte, e *Entry) {
	if e != nil && p.read == nil {
		p.read = make([]*Entry, len(p.list), cap(p.list))
	}
	if p.list = append(p.list, b); p.read != nil {
		p.read = append(p.read, e)
	}
}

// entryOf is what the ith of what was read as list is, if it came in a part and is as
// it came: b.
func entryOf(list []*Entry, i int, b []byte) *Entry {
	if i >= len(list) || list[i] == nil {
		return nil
	}
	e := list[i]
	for _, x := range [][]byte{e.exact, e.Record.exact} {
		if len(b) == len(x) && &b[0] == &x[0] {
			return e
		}
	}
	return nil
}

// readParts reads what appendParts appended, of at most limit records or entries.
func (d *decoder) readParts(g GroupID, limit int, entries bool) (list [][]byte, read []*Entry) {
	n := d.size(limit)
	if d.err != nil {
		return nil, nil
	}
	p := parts{list: make([][]byte, 0, n)}
	for range n {
		if d.err == nil && msgp.NextType(d.left) == msgp.ArrayType {
			d.readPart(g, limit-len(p.list), entries, &p)
		} else if b := d.bin(MaxEntry); d.err == nil {
			p.add(b, nil)
		}
	}
	if len(p.list) > limit {
		d.fail("too many records")
	}
	if d.err != nil {
		return nil, nil
	}
	return p.list, p.read
}

// readPart reads a part of at most so many records.
func (d *decoder) readPart(g GroupID, limit int, entries bool, p *parts) {
	d.array(partFields)
	author := d.key()
	s := proof.Shared{Size: int(d.uintUpTo(proof.MaxBatch)), First: int(d.uintUpTo(proof.MaxBatch))}
	s.Signature, s.Edges = d.bin(protocols.SignatureSize), d.bin(proof.MaxSize)
	n := d.size(limit)
	records, same := make([]Record, n), make([]int, n)
	before, length, size := new(Record), 0, 0 // length: of its payload
	for i := range records {
		r := &records[i]
		*r = Record{Group: g, ID: before.ID, Author: author}
		same[i] = d.readRecord(r, before.Time)
		if d.err == nil && (r.Kind == 0 || same[i] > length) {
			d.fail("a record that is none")
		}
		before, length = r, same[i]+len(r.Payload)
		size += length
	}
	if d.err != nil {
		return
	}
	if !restore(d.verifier, s, records, same, size, entries, p) {
		d.fail("a part that is none of a batch")
	}
}

// readRecord reads what of a record differs from the one before, whose id it has so
// far, and how much of its payload does not.
func (d *decoder) readRecord(r *Record, before Millis) (same int) {
	d.array(recordFields)
	id := d.bin(len(r.ID))
	copy(r.ID[len(r.ID)-len(id):], id)
	r.Kind, r.Time = Kind(d.uintUpTo(uint64(KindSnapshot))), before+Millis(d.uintUpTo(uint64(MaxMillis-before)))
	same = int(d.uintUpTo(maxSame))
	r.Payload = d.bin(MaxRecord)
	return same
}

// most is how long an entry is besides payload and proof, at most.
const most = 128

// restore makes records whole that came in a part: in one buffer, each with what of
// its payload is the same as before, and with its own proof.
func restore(v Verifier, s proof.Shared, records []Record, same []int, payloads int, entries bool, p *parts) bool {
	if len(records) < 2 || len(records) > s.Size-s.First {
		return false
	}
	size := payloads
	for i := range records {
		size += most + s.ProofLen(i)
	}
	buf, leaves, whole := make([]byte, 0, size), make([]proof.Hash, len(records)), make([]Entry, len(records))
	prefix := v.SigningPrefix(nil, protocols.TagGroupRecord)
	before := new(Record)
	for i := range records {
		buf = whole[i].lay(buf, &records[i], before.Payload[:same[i]], s.ProofLen(i))
		before = &records[i]
		leaves[i] = proof.Leaf(prefix, records[i].body)
	}
	part, err := s.Restore(leaves)
	if err != nil {
		return false
	}
	of := &batch{author: records[0].Author, root: part.Root()}
	for i := range records {
		r := &records[i]
		part.AppendProof(r.Proof[:0], i)
		if r.batch = of; len(r.exact) > MaxRecord {
			return false
		}
		if entries {
			p.add(whole[i].exact, &whole[i])
		} else {
			p.add(r.exact, &whole[i])
		}
	}
	return true
}

// lay lays an entry out behind dst, which has room for it, with a place for the
// proof. Its payload begins with what is the same as before. The record aliases nothing
// else from then on.
func (e *Entry) lay(dst []byte, r *Record, same []byte, proofLen int) []byte {
	from, length := len(dst), len(same)+len(r.Payload)
	dst = msgp.AppendArrayHeader(dst, uint32(e.count()))
	dst = msgp.AppendArrayHeader(dst, uint32(r.count()))
	dst = msgp.AppendBytesHeader(r.appendName(dst), uint32(length))
	dst = append(append(dst, same...), r.Payload...)
	r.body = dst[from+2:]
	r.Payload = r.body[len(r.body)-length:]
	dst = msgp.AppendBytesHeader(dst, uint32(proofLen))
	r.Proof = dst[len(dst) : len(dst)+proofLen : len(dst)+proofLen]
	dst = dst[:len(dst)+proofLen]
	r.exact = dst[from+1:]
	dst = msgp.AppendNil(dst)
	e.Record, e.exact = r, dst[from:]
	return dst
}
