package node

import (
	"context"
	"errors"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/message"
)

// Received is a message in the inbox.
type Received struct {
	ID       MessageID
	From     Peer
	Name     string // see NameOf
	Type     string // content type
	Body     []byte
	Created  time.Time // by the author's clock
	Received time.Time // by ours
	End      time.Time // when it will be gone
	Path     string
	Read     bool
	Stranger bool   // neither contact nor anybody this node has written to
	Muted    bool   // by the user
	Cursor   Cursor // names the row
}

// Query says what to list of the inbox. The zero value lists all but what
// muted peers sent.
type Query = store.Query

// Inbox lists messages received, the oldest first. Listing leaves them unread.
func (n *Node) Inbox(q Query) ([]Received, error) {
	var all []Received
	err := n.eachReceived(q, func(r Received) (more bool) {
		all = append(all, r)
		return true
	})
	return all, err
}

// eachReceived calls fn with what Inbox lists, one at a time: all of it may be
// much.
func (n *Node) eachReceived(q Query, fn func(Received) (more bool)) error {
	return n.store.Inbox(q, func(in *store.Incoming) (bool, error) {
		r, err := n.received(in)
		return err != nil || fn(r), nil // an unreadable row hides no other
	})
}

var errUnreadable = errors.New("the message is no longer readable")

func (n *Node) received(in *store.Incoming) (Received, error) {
	content, _, err := message.ParseUnpadded(in.Content)
	if in.Unreadable || err != nil {
		return Received{}, errUnreadable
	}
	return Received{
		ID: in.ID, From: in.From, Name: n.NameOf(in.From),
		Type: content.Type, Body: content.Body,
		Created: in.Created, Received: in.Received, End: in.End, Path: in.Path,
		Read: !in.Read.IsZero(), Stranger: in.Stranger, Muted: in.Muted, Cursor: in.Cursor,
	}, nil
}

// MarkRead marks inbox rows as read and sends their authors signed read
// receipts. Rows that are gone or marked already are passed over.
func (n *Node) MarkRead(rows ...Cursor) error { return n.courier.MarkRead(rows) }

// EventKind says what changed.
type EventKind uint8

// The kinds of events.
const (
	MessageReceived EventKind = iota + 1 // Message
	StateChanged                         // ID, State: of a message sent from here
	MessageRead                          // Row: an inbox row was marked read here
	ContactChanged                       // Peer: added, renamed, removed, muted or unmuted
	PeerChanged                          // Peer, Presence: a peer that is no stranger came or went
	GroupChanged                         // Group
	Gap                                  // events are missing: begin with the current state
)

// Event is one change that this node's store shows. Which fields are set
// depends on the kind.
type Event struct {
	Cursor  Cursor
	At      time.Time
	Kind    EventKind
	ID      MessageID
	Peer    Peer
	State   State
	Row     Cursor
	Message *Received

	Presence Presence
	Group    *groups.Event
}

// Events calls fn with every event after since, waiting for new ones, until ctx
// ends, the node stops, or fn returns an error, which Events returns. Events are kept for 24
// hours: if some after since are gone, an event of kind Gap comes first.
func (n *Node) Events(ctx context.Context, since Cursor, fn func(Event) error) error {
	wake, cancel := n.store.Subscribe()
	defer cancel()
	for {
		next, err := n.replay(since, 0, fn)
		if errors.Is(err, store.ErrGap) {
			oldest, _ := n.store.Cursors()
			if err = fn(Event{Kind: Gap, Cursor: oldest, At: n.clock.Now()}); err == nil {
				since = oldest
				continue
			}
		}
		if err != nil {
			return err
		}
		since = next
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		case <-n.closing:
			return ErrStopped
		}
	}
}

// replay calls fn with the events after since that are here, at most limit of
// them if that is positive, and returns the cursor of the last.
func (n *Node) replay(since Cursor, limit int, fn func(Event) error) (Cursor, error) {
	count := 0
	err := n.store.Events(since, func(e store.Event) (bool, error) {
		since = e.Cursor
		if ev, ok := n.event(e); ok {
			if err := fn(ev); err != nil {
				return false, err
			}
			count++
		}
		return limit <= 0 || count < limit, nil
	})
	return since, err
}

func (n *Node) event(e store.Event) (ev Event, ok bool) {
	ev = Event{Cursor: e.Cursor, At: e.At, ID: e.ID, Peer: e.Peer, State: e.State, Row: e.Row}
	switch e.Kind {
	case store.Received:
		in, err := n.store.Message(e.Cursor)
		if err != nil || in.Muted {
			return ev, false
		}
		r, err := n.received(in)
		ev.Kind, ev.Message, ev.Peer = MessageReceived, &r, r.From
		return ev, err == nil
	case store.StateChanged:
		ev.Kind = StateChanged
	case store.WasRead:
		ev.Kind = MessageRead
	case store.ContactChanged:
		ev.Kind = ContactChanged
	case store.PeerChanged:
		ev.Kind, ev.Presence = PeerChanged, Presence(e.Presence)
	case store.GroupChanged:
		g, ok := parseGroupEvent(e.Note)
		ev.Kind, ev.Group = GroupChanged, &g
		return ev, ok
	default:
		return ev, false
	}
	return ev, true
}
