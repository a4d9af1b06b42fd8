package stream

import (
	"errors"
	"time"
)

// MaxFrame is the largest payload of a frame, in bytes, on every protocol.
const MaxFrame = 272 << 10

// Errors that a Line returns besides those of the stream below it. A closed
// line answers with net.ErrClosed.
var (
	ErrFull      = errors.New("stream queue full")
	ErrTooLong   = errors.New("frame longer than allowed")
	ErrBadLength = errors.New("frame length is not a shortest uvarint")
)

// Limits bounds one Line. The zero value of a field means its default.
type Limits struct {
	Frame int // largest payload, sent or received, in bytes; MaxFrame

	QueueFrames int // frames queued and not yet written; 4096
	QueueBytes  int // their payload in bytes; 4 MiB; one frame is always let in

	Write   time.Duration // for 64 KiB to be taken by the stream below; 20 s
	Partial time.Duration // for the rest of a frame, once its first byte is here; 30 s
	Idle    time.Duration // without a frame either way until the line closes itself; 60 s; negative: never

	// Memory, if not nil, is asked before the read buffer grows and told when
	// it shrinks: a libp2p stream scope fits, which takes back the rest when
	// its stream ends.
	Memory Memory
}

// Memory accounts for bytes that a peer makes us hold.
type Memory interface {
	ReserveMemory(size int, priority uint8) error
	ReleaseMemory(size int)
}

func (l Limits) withDefaults() Limits {
	orInt(&l.Frame, MaxFrame)
	orInt(&l.QueueFrames, 4096)
	orInt(&l.QueueBytes, 4<<20)
	orTime(&l.Write, 20*time.Second)
	orTime(&l.Partial, 30*time.Second)
	orTime(&l.Idle, time.Minute)
	return l
}

func orInt(v *int, def int) {
	if *v == 0 {
		*v = def
	}
}

func orTime(v *time.Duration, def time.Duration) {
	if *v == 0 {
		*v = def
	}
}
