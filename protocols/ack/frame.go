package ack

import (
	"errors"
	"fmt"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// MaxReceipts is how many receipts one frame may carry.
const MaxReceipts = 64

// ErrFrame is returned for what is no frame of receipts.
var ErrFrame = errors.New("not a frame of receipts")

const (
	frameType   = 1
	frameFields = 3
)

// Frame carries receipts, and beside them the recipient's prekey record where
// the author may lack it. It is a frame of /tom/ack, and the body of a message
// of type tom/receipts.
type Frame struct {
	Receipts [][]byte // 0 to MaxReceipts, each as Sign returned it
	Prekeys  []byte   // as prekeys.Sign returned it; nil for none
}

// Append appends the encoded frame: [1, receipts, prekeys or nil].
func (f Frame) Append(dst []byte) []byte {
	w := wireFrame{Type: frameType, Receipts: make([]raw, len(f.Receipts)), Prekeys: f.Prekeys}
	for i, r := range f.Receipts {
		w.Receipts[i] = r
	}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

// ParseFrame reads a frame, whose receipts and prekeys are still to be parsed.
// They alias b.
func ParseFrame(b []byte) (Frame, error) {
	if kind, err := protocols.FrameType(b); err != nil {
		return Frame{}, fmt.Errorf("%w: %w", ErrFrame, err)
	} else if kind != frameType {
		return Frame{}, protocols.ErrFrameType
	}
	var w wireFrame
	if err := protocols.ReadTuple(b, frameFields, &w); err != nil {
		return Frame{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return w.frame()
}

func (w *wireFrame) frame() (Frame, error) {
	if len(w.Prekeys) > prekeys.MaxSize {
		return Frame{}, fmt.Errorf("%w: a prekey record too long", ErrFrame)
	}
	f := Frame{Receipts: make([][]byte, len(w.Receipts)), Prekeys: w.Prekeys}
	for i, r := range w.Receipts {
		if len(r) > MaxReceipt {
			return Frame{}, fmt.Errorf("%w: a receipt too long", ErrFrame)
		}
		f.Receipts[i] = r
	}
	return f, nil
}
