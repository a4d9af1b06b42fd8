package store

import (
	"bytes"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Cursor is an event number. Numbers grow, are never given twice, and begin
// with 1; some are left out. A received message's is also its name in the
// inbox.
type Cursor uint64

// EventKind says what changed.
type EventKind uint8

// The kinds of events.
const (
	hole EventKind = iota // a number without an event
	// Received: a message is in the inbox. ID, Peer, Row.
	Received
	// StateChanged: an outgoing message came to State. ID.
	StateChanged
	// WasRead: a received message was marked read. ID, Peer, Row.
	WasRead
	// ContactChanged: a contact was added, changed or removed. Peer.
	ContactChanged
	// PeerChanged: a peer that is no stranger came or went. Peer, Presence.
	PeerChanged
	// GroupChanged: something happened in a group. Note.
	GroupChanged
)

// Event is one change of what the store shows.
type Event struct {
	Cursor Cursor
	At     time.Time // when it was committed
	Kind   EventKind
	ID     envelope.ID
	Peer   protocols.Key
	State  delivery.State
	Row    Cursor // of the inbox row

	Presence uint8  // as PeerEvent was told it
	Note     []byte // as GroupEvents was told it
}

func (t *tx) event(kind EventKind, payload ...byte) Cursor {
	t.visible = true
	t.events = append(append(t.events, byte(kind)), payload...)
	return t.nextNumber()
}

// PeerEvent adds an event of kind PeerChanged, which is not synced. What the
// value means is the caller's to say.
func (s *Store) PeerEvent(p protocols.Key, presence uint8) error {
	return s.wait(write{change: func(t *tx) error {
		t.event(PeerChanged, append([]byte{presence}, p[:]...)...)
		return nil
	}})
}

// maxNote bounds a note, bytes.
const maxNote = 4096

// GroupEvents adds events of kind GroupChanged, which are not synced. What is in
// the notes is the caller's to say; one that is too long is left out.
func (s *Store) GroupEvents(notes [][]byte) error {
	return s.wait(write{change: func(t *tx) error {
		for _, n := range notes {
			if len(n) <= maxNote {
				t.event(GroupChanged, appendBytes(nil, n)...)
			}
		}
		return nil
	}})
}

// Events calls fn for every event after since, in order, until fn returns
// more == false or an error, which Events passes on. Events are kept for
// EventLife; if one after since may be gone, the error is ErrGap. Events of
// received messages that have ended meanwhile are left out.
func (s *Store) Events(since Cursor, fn func(Event) (more bool, err error)) error {
	oldest, newest := s.Cursors()
	if since < oldest || since > newest {
		return ErrGap
	}
	_, to := table(tableEvents)
	err := s.kv.Scan(cursorKey(tableEvents, since+1), to, func(key, row []byte) (bool, error) {
		return s.chunk(since, newest, row, fn)
	})
	if oldest, _ := s.Cursors(); err == nil && since < oldest {
		return ErrGap // they may have left between the question and the scan
	}
	return err
}

// chunk reads the events of one commit, those after since and up to newest: a
// commit that is on disk and not yet counted would put the reader ahead of the
// store.
func (s *Store) chunk(since, newest Cursor, row []byte, fn func(Event) (bool, error)) (more bool, err error) {
	u := unpacker{b: row}
	at := u.time()
	for c := Cursor(u.uint()); len(u.b) > 0; c++ {
		e := Event{Cursor: c, At: at}
		e.read(&u)
		if u.err != nil {
			return false, u.err
		}
		if c > newest {
			return false, nil
		}
		if c <= since || e.Kind == hole {
			continue
		}
		if e.Kind == Received || e.Kind == WasRead {
			if ok, err := s.describe(&e); err != nil {
				return false, err
			} else if !ok {
				continue
			}
		}
		if more, err := fn(e); err != nil || !more {
			return false, err
		}
	}
	return true, u.err
}

func (e *Event) read(u *unpacker) {
	switch e.Kind = EventKind(u.byte()); e.Kind {
	case hole:
	case Received:
		e.Row = e.Cursor
	case StateChanged:
		e.State = delivery.State(u.byte())
		u.fixed(e.ID[:])
	case WasRead:
		e.Row = Cursor(u.uint())
	case ContactChanged:
		u.fixed(e.Peer[:])
	case PeerChanged:
		e.Presence = u.byte()
		u.fixed(e.Peer[:])
	case GroupChanged:
		e.Note = bytes.Clone(u.bytes())
	default:
		u.fail()
	}
}

// describe fills in what the inbox row knows; ok is false if it is gone.
func (s *Store) describe(e *Event) (ok bool, err error) {
	row, ok, err := s.kv.Get(cursorKey(tableInbox, e.Row))
	if err != nil || !ok {
		return false, err
	}
	in, _, err := parseIncoming(e.Row, row)
	if err != nil {
		return false, err
	}
	e.ID, e.Peer = in.ID, in.From
	return in.End.After(s.now()), nil
}

// Subscribe returns a channel that is sent to after each commit with events;
// one waiting wakeup stands for all. Call cancel when done with it.
func (s *Store) Subscribe() (wakeups <-chan struct{}, cancel func()) {
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[ch] = struct{}{}
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, ch)
	}
}

// wake tells all watchers; mu is held.
func (s *Store) wake() {
	for ch := range s.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
