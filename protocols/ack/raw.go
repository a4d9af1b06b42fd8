package ack

import "github.com/tinylib/msgp/msgp"

// raw is a bin that is not copied when it is read. The generated code would
// hold its length against the limit of the array it is in.
type raw []byte

// MarshalMsg appends r as a bin.
func (r raw) MarshalMsg(b []byte) ([]byte, error) { return msgp.AppendBytes(b, r), nil }

// UnmarshalMsg makes r the bin that b begins with.
func (r *raw) UnmarshalMsg(b []byte) (left []byte, err error) {
	*r, left, err = msgp.ReadBytesZC(b)
	return left, err
}

// Msgsize returns an upper bound of the encoded length.
func (r raw) Msgsize() int { return msgp.BytesPrefixSize + len(r) }
