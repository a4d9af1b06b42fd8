package protocols

import (
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// ErrTrailing is returned for bytes behind the end of a structure.
var ErrTrailing = errors.New("bytes behind the end")

// maxDepth bounds how deep arrays in fields we do not know may be nested.
const maxDepth = 16

// An Unmarshaler reads itself from the beginning of b, as an array of exactly
// as many elements as it knows, and returns what is left.
type Unmarshaler interface {
	UnmarshalMsg(b []byte) (left []byte, err error)
}

// ReadTuple reads b into v, whose array has known elements, at most 15. b may
// have more, which are checked to be well-formed and ignored; nothing may
// stand behind them.
func ReadTuple(b []byte, known int, v Unmarshaler) error {
	exact, extra, err := CutTuple(b, known)
	if err != nil {
		return err
	}
	left, err := v.UnmarshalMsg(exact)
	if err != nil {
		return err
	}
	return SkipExtra(left, extra)
}

// CutTuple makes the array b one of exactly known elements, at most 15, and
// says how many more stand behind them. The result is b itself unless there
// are any.
func CutTuple(b []byte, known int) (exact []byte, extra uint32, err error) {
	size, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, 0, err
	}
	if int64(size) < int64(known) {
		return nil, 0, fmt.Errorf("%d elements where %d are due", size, known)
	}
	if b[0] != fixArray(known) {
		// Seldom: a version of the structure that is newer than ours.
		b = append([]byte{fixArray(known)}, rest...)
	}
	return b, size - uint32(known), nil
}

// SkipExtra checks that b holds exactly n well-formed elements.
func SkipExtra(b []byte, n uint32) (err error) {
	for range n {
		if b, err = skip(b, maxDepth); err != nil {
			return err
		}
	}
	if len(b) > 0 {
		return ErrTrailing
	}
	return nil
}

// skip passes one element. Other than msgp.Skip it refuses maps and extensions
// and does not follow a nesting that could only be meant to exhaust the stack.
func skip(b []byte, depth int) ([]byte, error) {
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		return skipArray(b, depth)
	case msgp.UintType, msgp.IntType, msgp.BinType, msgp.StrType, msgp.NilType, msgp.BoolType:
		return msgp.Skip(b)
	default:
		return nil, errors.New("an element of a type that is not used")
	}
}

func skipArray(b []byte, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errors.New("arrays nested too deeply")
	}
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	for ; err == nil && size > 0; size-- {
		b, err = skip(b, depth-1)
	}
	return b, err
}

// fixArray returns the header of an array of n elements, at most 15.
func fixArray(n int) byte { return 0x90 | byte(n) }

// FrameType returns the element 0 of a frame that begins with its type.
func FrameType(b []byte) (uint64, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return 0, err
	}
	if size == 0 {
		return 0, errors.New("a frame without type")
	}
	kind, _, err := msgp.ReadUint64Bytes(b)
	return kind, err
}

// ErrFrameType is returned for a frame of a type that the parser does not
// read. A frame of an unknown type is passed over.
var ErrFrameType = errors.New("unknown frame type")
