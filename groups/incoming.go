package groups

import (
	"errors"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// errGroup is returned for a frame that names no group.
var errGroup = errors.New("a frame that names no group")

// Group takes frames of the group protocol, of one stream in order. It blocks
// while the group is behind, and the stream with it.
func (s *Service) Group(in Inbound, frames [][]byte) { s.frames(in, frames, wire.ParseGroupFrame) }

// Hub is Group for the hub protocol.
func (s *Service) Hub(in Inbound, frames [][]byte) { s.frames(in, frames, wire.ParseHubFrame) }

func (s *Service) frames(in Inbound, frames [][]byte, parse func(wire.Verifier, []byte) (wire.Frame, error)) {
	s.dialer.heard(in.Peer())
	for _, b := range frames {
		if !s.hears(in.Peer(), b) {
			continue
		}
		f, err := parse(s.cfg.Verifier, b)
		if errors.Is(err, protocols.ErrFrameType) {
			continue
		}
		if err == nil {
			err = s.frame(in, f)
		}
		if err != nil {
			s.count.frameRefused(err)
			in.Misbehaved(err)
			return
		}
	}
}

// hears says whether a frame is worth being parsed. One of a group that this node has
// no seat in is passed over: it may have left.
func (s *Service) hears(from protocols.Key, b []byte) bool {
	id, ok := wire.FrameGroup(b)
	if !ok {
		return true
	}
	if r := s.seated(id); r != nil {
		return r.hears(from)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joining[id] != nil
}

// frame hands a frame to the group it is of.
func (s *Service) frame(in Inbound, f wire.Frame) error {
	if a, ok := f.(*wire.AliveAnswer); ok && a.Beat == nil {
		return nil // it says nothing
	}
	id, ok := groupOf(f)
	if !ok {
		return errGroup
	}
	if o, ok := f.(*wire.Offer); ok {
		return s.offered(in, id, o)
	}
	if r := s.seated(id); r != nil {
		aside, err := r.aside(in, f)
		if !aside {
			r.receive(in, f)
		}
		return err
	}
	s.mu.Lock()
	j := s.joining[id]
	s.mu.Unlock()
	if j != nil {
		j.receive(in, f)
	}
	return nil
}

// groupOf reads which group a frame is of. Structures of groups all begin with
// it.
func groupOf(f wire.Frame) (wire.GroupID, bool) {
	switch f := f.(type) {
	case *wire.Publish:
		return f.Group, true
	case *wire.Receipts:
		return f.Group, true
	case *wire.Sync:
		return f.Group, true
	case *wire.Keys:
		return f.Group, true
	case *wire.WantPrekeys:
		return f.Group, true
	case *wire.Prekeys:
		return f.Group, true
	case *wire.Records:
		return f.Group, true
	case *wire.Accepted:
		return f.Group, true
	case *wire.Refused:
		return f.Group, true
	case *wire.Busy:
		return f.Group, true
	case *wire.SnapshotFrame:
		return f.Group, true
	case *wire.NotHub:
		return f.Group, true
	case *wire.PageEnd:
		return f.Group, true
	case *wire.Replicated:
		return f.Group, true
	case *wire.Alive:
		return f.Group, true
	}
	return groupIn(f)
}

// groupIn reads it out of the structure that a frame carries.
func groupIn(f wire.Frame) (wire.GroupID, bool) {
	switch f := f.(type) {
	case *wire.AttachFrame:
		return structureGroup(f.Attach)
	case *wire.BeatFrame:
		return structureGroup(f.Beat)
	case *wire.HubRecordFrame:
		return structureGroup(f.Record)
	case *wire.Offer:
		return structureGroup(f.Record)
	case *wire.Meet:
		return structureGroup(f.Record)
	case *wire.Yield:
		return structureGroup(f.Record)
	case *wire.WithdrawnFrame:
		return structureGroup(f.Withdrawal)
	case *wire.ReportFrame:
		return structureGroup(f.Report)
	case *wire.AliveAnswer:
		return structureGroup(f.Beat)
	case *wire.Named:
		return structureGroup(f.Draft)
	case *wire.Replace:
		return structureGroup(f.Beat)
	case *wire.Equivocation:
		return structureGroup(f.A)
	}
	return wire.GroupID{}, false
}

// structureGroup reads the first element of an array: bin 16.
func structureGroup(b []byte) (id wire.GroupID, ok bool) {
	if len(b) < 3+len(id) || b[0]&0xf0 != 0x90 || b[1] != 0xc4 || int(b[2]) != len(id) {
		return id, false
	}
	copy(id[:], b[3:])
	return id, true
}

// Own takes a sealed message of the protocol's own. Nil says that what it brought
// is on disk, or worth nothing.
func (s *Service) Own(from protocols.Key, contentType string, body []byte) error {
	switch contentType {
	case message.TypeGroupInvite:
		return s.invited(from, body)
	case message.TypeSenderKey:
		k, err := wire.ParseSenderKey(body)
		if err != nil {
			logger.Debugw("no sender key", "peer", from, "err", err)
			return nil
		}
		r, err := s.entered(k.Group)
		if r == nil {
			return err // no group of this node's
		}
		return r.posted(from, *k)
	case message.TypeKeyRequest:
		q, err := wire.ParseKeyRequest(body)
		if err != nil {
			logger.Debugw("no key request", "peer", from, "err", err)
			return nil
		}
		if r := s.room(q.Group); r != nil {
			r.post(func(now time.Time) { r.keyRequested(now, from, q) })
		}
	}
	return nil
}

// entered returns the room of a group, nil for none. While this node joins it waits
// for that to end.
func (s *Service) entered(g wire.GroupID) (*room, error) {
	s.mu.Lock()
	j := s.joining[g]
	s.mu.Unlock()
	if j != nil {
		select {
		case <-j.done:
		case <-time.After(earlyTime):
			return nil, ErrBusy
		}
	}
	return s.room(g), nil
}

// earlyTime is how long a stream may wait for that.
const earlyTime = 3 * time.Second
