package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// MaxFrame is the length of the longest frame, in bytes.
const MaxFrame = 272 << 10

// A Frame is one message of the group or hub protocol, or of a group's topic.
// The structures it carries are exact bytes, still to be parsed.
type Frame interface {
	fields
	frameType() uint64
}

// OnHub says whether the frame is one of the hub protocol; the others are of the
// group protocol, but for those of the topic.
func OnHub(f Frame) bool {
	switch f := f.(type) {
	case *BeatFrame, *Replicated, *HubRecordFrame, *ReportFrame, *Alive, *AliveAnswer, *Named, *Equivocation, *WithdrawnFrame, *Yield, *Replace, *Meet, *Offer:
		return true
	case *Records:
		return f.kind == 2
	}
	return false
}

// AppendFrame appends the encoded frame: its type, then its fields.
func AppendFrame(dst []byte, f Frame) []byte {
	return f.appendFields(appendHead(dst, f))
}

// appendHead appends what stands before the fields.
func appendHead(dst []byte, f Frame) []byte {
	dst = msgp.AppendArrayHeader(dst, uint32(f.count()+1))
	return msgp.AppendUint64(dst, f.frameType())
}

// Encode returns the encoded frame, which must not be changed, and a page neither any
// more: that is encoded once, whenever and to how many it goes.
func Encode(f Frame) []byte {
	page, ok := f.(*Records)
	if !ok {
		return AppendFrame(nil, f)
	}
	if page.encoded == nil {
		page.encoded = page.encode()
	}
	return page.encoded
}

// ParseGroupFrame reads a frame of the group protocol. A frame of another type
// is protocols.ErrFrameType and is passed over. Nothing is verified: the verifier
// says what records that came in parts of batches are hashed behind. The result
// aliases b.
func ParseGroupFrame(v Verifier, b []byte) (Frame, error) { return parseFrame(v, b, newGroupFrame) }

// ParseHubFrame reads a frame of the hub protocol, as ParseGroupFrame does.
func ParseHubFrame(v Verifier, b []byte) (Frame, error) { return parseFrame(v, b, newHubFrame) }

// ParseTopicFrame reads a message of a group's topic, as ParseGroupFrame does.
func ParseTopicFrame(v Verifier, b []byte) (Frame, error) { return parseFrame(v, b, newTopicFrame) }

// FrameGroup reads which group a frame is of, if that is its first field, as in all
// that may carry parts of batches: these take time to parse.
func FrameGroup(b []byte) (g GroupID, ok bool) {
	d := decoder{left: b}
	d.size(len(b))
	d.uint()
	g = d.b16()
	return g, d.err == nil
}

func parseFrame(v Verifier, b []byte, of func(uint64) Frame) (Frame, error) {
	kind, err := protocols.FrameType(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	f := of(kind)
	if f == nil {
		return nil, protocols.ErrFrameType
	}
	if len(b) > MaxFrame {
		return nil, fmt.Errorf("%w: too long", ErrForm)
	}
	exact, extra, err := protocols.CutTuple(b, f.count()+1)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	d := decoder{left: exact, verifier: v}
	d.array(f.count() + 1)
	d.uint()
	f.readFields(&d)
	if d.err != nil {
		return nil, d.err
	}
	if err := protocols.SkipExtra(d.left, extra); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return f, nil
}

func newGroupFrame(kind uint64) Frame {
	switch kind {
	case 1:
		return new(AttachFrame)
	case 2:
		return new(Publish)
	case 3:
		return &Receipts{kind: 3}
	case 4:
		return new(Sync)
	case 5:
		return &Keys{kind: 5}
	case 6:
		return new(WantPrekeys)
	case 10:
		return &Records{kind: 10}
	case 11:
		return new(Accepted)
	case 12:
		return new(Refused)
	case 13:
		return new(Busy)
	case 14:
		return &Receipts{kind: 14}
	case 15:
		return new(SnapshotFrame)
	case 16:
		return new(NotHub)
	case 17:
		return new(PageEnd)
	case 18:
		return &Keys{kind: 18}
	case 19:
		return new(Prekeys)
	default:
		return nil
	}
}

func newHubFrame(kind uint64) Frame {
	switch kind {
	case 1:
		return new(BeatFrame)
	case 2:
		return &Records{kind: 2}
	case 3:
		return new(Replicated)
	case 4:
		return new(HubRecordFrame)
	case 5:
		return new(ReportFrame)
	case 6:
		return new(Alive)
	case 7:
		return new(AliveAnswer)
	case 8:
		return new(Named)
	case 9:
		return new(Equivocation)
	case 10:
		return new(WithdrawnFrame)
	case 11:
		return new(Yield)
	case 12:
		return new(Replace)
	case 13:
		return new(Meet)
	case 14:
		return new(Offer)
	default:
		return nil
	}
}

func newTopicFrame(kind uint64) Frame {
	switch kind {
	case 1:
		return new(TopicHead)
	case 2:
		return new(TopicHub)
	default:
		return nil
	}
}
