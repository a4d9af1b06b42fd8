package kv

import (
	"encoding/binary"
	"slices"
)

// Batch is a list of changes that Apply makes together. The zero value is an
// empty batch; a Batch is not safe for concurrent use.
type Batch struct {
	ops    []byte // op byte, then its one or two byte strings, each after its uvarint length
	count  int
	writes bool // at least one Put
}

type op byte

const (
	opPut         op = iota // key, value
	opDelete                // key
	opDeleteRange           // from, to
)

// Put sets the value under key, copying both. The value may come in parts, which
// stand one behind the other.
func (b *Batch) Put(key []byte, value ...[]byte) {
	size := 0
	for _, part := range value {
		size += len(part)
	}
	b.writes = true
	b.add(opPut, key)
	b.ops = binary.AppendUvarint(b.ops, uint64(size))
	for _, part := range value {
		b.ops = append(b.ops, part...)
	}
}

// Delete removes key, if it is there.
func (b *Batch) Delete(key []byte) { b.add(opDelete, key) }

// DeleteRange removes every row with from <= key < to.
func (b *Batch) DeleteRange(from, to []byte) {
	b.add(opDeleteRange, from)
	b.ops = appendString(b.ops, to)
}

// Append adds all changes of other after those of b.
func (b *Batch) Append(other *Batch) {
	b.ops = append(b.ops, other.ops...)
	b.count += other.count
	b.writes = b.writes || other.writes
}

// Grow makes room for so many more bytes of changes, at once instead of by and by.
func (b *Batch) Grow(n int) { b.ops = slices.Grow(b.ops, n) }

// Len returns the number of changes.
func (b *Batch) Len() int { return b.count }

// Bytes returns the memory the changes take, in bytes.
func (b *Batch) Bytes() int { return len(b.ops) }

// Reset empties b and keeps its memory.
func (b *Batch) Reset() { *b = Batch{ops: b.ops[:0]} }

func (b *Batch) add(o op, key []byte) {
	b.ops = appendString(append(b.ops, byte(o)), key)
	b.count++
}

// each calls fn for every change in order; second is the value of a put or the
// end of a range.
func (b *Batch) each(fn func(o op, first, second []byte) error) error {
	for rest := b.ops; len(rest) > 0; {
		o := op(rest[0])
		var first, second []byte
		first, rest = cutString(rest[1:])
		if o != opDelete {
			second, rest = cutString(rest)
		}
		if err := fn(o, first, second); err != nil {
			return err
		}
	}
	return nil
}

func appendString(dst, s []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func cutString(b []byte) (s, rest []byte) {
	n, w := binary.Uvarint(b)
	end := w + int(n)
	return b[w:end:end], b[end:]
}
