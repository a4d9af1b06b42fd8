package heartbeat

import (
	"errors"
	"fmt"
	"math"

	"github.com/tom-protocol/tom/protocols"
)

// MaxFrame is the most bytes that a frame of this protocol may have.
const MaxFrame = 8192

// MaxBeat is the most bytes that a beat or its answer may have.
const MaxBeat = 256

// The types of frames.
const (
	TypeHello    = 1
	TypeBeat     = 2
	TypePresence = 3
	TypeAnswer   = 4 // to a beat
)

const (
	beatFields   = 4
	answerFields = 3
)

// ErrBeat is returned for what is no beat, and no answer to one.
var ErrBeat = errors.New("not a valid beat")

// Beat asks a neighbour for a sign of life.
type Beat struct {
	Counter uint64 // chosen by the sender, and not to be guessed: the answer names it
	Load    uint8  // how busy the sender is, 255 the most
	Time    uint64 // milliseconds since the epoch
}

// BeatAnswer is the sign of life.
type BeatAnswer struct {
	Counter uint64 // of the beat
	Time    uint64 // milliseconds since the epoch
}

// Append appends the encoded beat.
func (b Beat) Append(dst []byte) []byte {
	w := beatWire{Type: TypeBeat, Counter: b.Counter, Load: uint64(b.Load), Time: b.Time}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

// ParseBeat reads a beat. A load above 255 counts as 255. A frame of another
// type is protocols.ErrFrameType.
func ParseBeat(b []byte) (Beat, error) {
	var w beatWire
	if err := readBeat(b, TypeBeat, beatFields, &w); err != nil {
		return Beat{}, err
	}
	return Beat{Counter: w.Counter, Load: uint8(min(w.Load, math.MaxUint8)), Time: w.Time}, nil
}

// Append appends the encoded answer.
func (a BeatAnswer) Append(dst []byte) []byte {
	w := answerWire{Type: TypeAnswer, Counter: a.Counter, Time: a.Time}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

// ParseBeatAnswer reads the answer to a beat. A frame of another type is
// protocols.ErrFrameType.
func ParseBeatAnswer(b []byte) (BeatAnswer, error) {
	var w answerWire
	if err := readBeat(b, TypeAnswer, answerFields, &w); err != nil {
		return BeatAnswer{}, err
	}
	return BeatAnswer{Counter: w.Counter, Time: w.Time}, nil
}

func readBeat(b []byte, kind uint64, fields int, w protocols.Unmarshaler) error {
	got, err := protocols.FrameType(b)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrBeat, err)
	case got != kind:
		return protocols.ErrFrameType
	case len(b) > MaxBeat:
		return fmt.Errorf("%w: too long", ErrBeat)
	}
	if err := protocols.ReadTuple(b, fields, w); err != nil {
		return fmt.Errorf("%w: %w", ErrBeat, err)
	}
	return nil
}
