package heartbeat

import (
	"errors"
	"fmt"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
	"github.com/tom-protocol/tom/protocols/presence"
)

const (
	presenceFields = 3
)

// ErrPresence is returned for what is no presence frame.
var ErrPresence = errors.New("not a valid presence frame")

// Presence is where a node is, told to its friends over a connection: the
// node's own presence, or a friend's that is passed on.
type Presence struct {
	Presence []byte // as presence.Sign returned it
	Prekeys  []byte // of the same node, as prekeys.Sign returned it; nil for none
}

// Append appends the encoded frame.
func (p Presence) Append(dst []byte) []byte {
	w := wirePresence{Type: TypePresence, Presence: p.Presence, Prekeys: p.Prekeys}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

// ParsePresence reads a presence frame. Both structures alias b and are still to
// be parsed. A frame of another type is protocols.ErrFrameType.
func ParsePresence(b []byte) (Presence, error) {
	if len(b) > MaxSize {
		return Presence{}, fmt.Errorf("%w: too long", ErrPresence)
	}
	if kind, err := protocols.FrameType(b); err != nil {
		return Presence{}, fmt.Errorf("%w: %w", ErrPresence, err)
	} else if kind != TypePresence {
		return Presence{}, protocols.ErrFrameType
	}
	var w wirePresence
	if err := protocols.ReadTuple(b, presenceFields, &w); err != nil {
		return Presence{}, fmt.Errorf("%w: %w", ErrPresence, err)
	}
	if len(w.Presence) > presence.MaxSize || len(w.Prekeys) > prekeys.MaxSize {
		return Presence{}, fmt.Errorf("%w: a signed structure too long", ErrPresence)
	}
	return Presence{Presence: w.Presence, Prekeys: w.Prekeys}, nil
}
