package node

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/node/courier"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// MessageID names a message; its author chose it, so only author and id
// together are unique.
type MessageID = envelope.ID

// Peer is a node's identity. [Node.Resolve] finds it by name, link or peer id,
// and its peer id is identity.PeerIDOf.
type Peer = protocols.Key

// Cursor is the number of an event, and of the inbox row it tells of: it grows
// with every change, over restarts too. Zero is before the first.
type Cursor = store.Cursor

// State is how far an outgoing message has come.
type State = delivery.State

// The states of an outgoing message; only the recipient's signature makes it
// Delivered or Read.
const (
	Queued    = delivery.Queued
	Sent      = delivery.Sent
	Relayed   = delivery.Relayed
	Stored    = delivery.Stored
	Delivered = delivery.Delivered
	Read      = delivery.Read
	Expired   = delivery.Expired
	Failed    = delivery.Failed
)

// Errors of Send and of what asks about messages. A body over the limit is
// refused with a *TooLarge.
var (
	ErrBusy     = courier.ErrBusy
	ErrSelf     = courier.ErrSelf
	ErrType     = courier.ErrType
	ErrReserved = courier.ErrReserved
	ErrLifetime = courier.ErrLifetime
	ErrStopped  = courier.ErrStopped
	ErrUnknown  = courier.ErrUnknown
	ErrNamed    = courier.ErrNamed
)

// TooLarge says by how much a body is over the limit.
type TooLarge = courier.TooLarge

// Message is something to send.
type Message struct {
	// ID is for who cannot know whether a message was accepted before: sent again
	// under the same id, a UUIDv7 that the sender makes, it is sent once, for as
	// long as its status is known. Zero: a new one.
	ID MessageID

	Type     string        // content type, at most 128 bytes; "text/plain" if empty
	Body     []byte        // opaque to the network
	Lifetime time.Duration // at most 24 h, which zero stands for; then every copy is gone

	// Keep has the content kept here until its end, for [Node.Talk]; otherwise it
	// goes as soon as the message is delivered.
	Keep bool

	// RequireForwardSecrecy makes the message fail rather than be sealed to the
	// recipient's identity key, when no prekey of it can be had.
	RequireForwardSecrecy bool
}

// TextType is the content type of text.
const TextType = "text/plain"

// Text is a message of plain text.
func Text(s string) Message { return Message{Type: TextType, Body: []byte(s)} }

// Status is how an outgoing message stands.
type Status struct {
	ID            MessageID // the successor's, if the message was sealed anew
	To            Peer
	State         State
	At            time.Time // when it came to its state
	Path          string    // of the newest attempt
	Reason        string    // why it is not further, in words
	ForwardSecret bool
	Created, End  time.Time
	Digest        envelope.Digest
	Holders       int // live ones that have signed for keeping it, while it is not final
}

// Holder is how one holder of an outgoing message stands.
type Holder = backup.HolderState

// Trace is the story of an outgoing message.
type Trace struct {
	Status
	Attempts     []delivery.Attempt
	Holders      []Holder  // who has signed for keeping it, also those who did until it was delivered
	Next         time.Time // when the next try is due; zero if none is
	SupersededBy MessageID // the message its content was sealed anew as; zero if none
}

// Send accepts a message: when it returns an id, the message is synced to disk
// and is tried until the recipient has signed for it or its lifetime ends. The
// recipient is named by petname, peer id or contact link. While the outbox is
// full, Send waits; it returns ErrBusy when ctx ends.
func (n *Node) Send(ctx context.Context, to string, m Message) (MessageID, error) {
	p, err := n.Resolve(to)
	if err != nil {
		return MessageID{}, err
	}
	return n.SendTo(ctx, p, m)
}

// SendTo is Send to a peer that is resolved.
func (n *Node) SendTo(ctx context.Context, p Peer, m Message) (MessageID, error) {
	if m.Type == "" {
		m.Type = TextType
	}
	id, err := n.courier.Send(ctx, courier.Draft{
		ID: m.ID, To: p, Type: m.Type, Body: m.Body, Lifetime: m.Lifetime, Keep: m.Keep,
		DemandsSecrecy: m.RequireForwardSecrecy || n.cfg.RequireForwardSecrecy,
	})
	if err == nil {
		n.links.Reconsider(p) // it is no stranger any more
	}
	return id, err
}

// Status tells how a message stands, or its successor if it was sealed anew.
func (n *Node) Status(ctx context.Context, id MessageID) (Status, error) {
	r, err := n.courier.Status(ctx, id)
	return statusOf(&r), err
}

// Trace tells every attempt of exactly this message.
func (n *Node) Trace(ctx context.Context, id MessageID) (Trace, error) {
	r, err := n.courier.Trace(ctx, id)
	t := Trace{Status: statusOf(&r), Attempts: r.Attempts, Next: r.Next, SupersededBy: r.Successor}
	for _, h := range r.Holders {
		t.Holders = append(t.Holders, Holder{Key: h.Key, End: h.End, Live: h.Live})
	}
	if r.State.Receipted() {
		t.Holders = n.holder.Past(r.Digest)
	}
	return t, err
}

func statusOf(r *delivery.Report) Status {
	return Status{
		ID: r.ID, To: r.To, State: r.State, At: r.At, Path: r.Path, Reason: r.Reason,
		ForwardSecret: r.ForwardSecret, Created: r.Created, End: r.End, Digest: r.Digest, Holders: live(r.Holders),
	}
}

func live(holders []delivery.Holder) (n int) {
	for _, h := range holders {
		if h.Live {
			n++
		}
	}
	return n
}

// Wait returns once a message has come at least to the state, or can come no
// further, or ctx has ended, or with ErrStopped when the node stops.
func (n *Node) Wait(ctx context.Context, id MessageID, want State) (Status, error) {
	wake, cancel := n.store.Subscribe()
	defer cancel()
	for {
		st, err := n.Status(ctx, id)
		if err != nil || st.State >= want { // expired and failed come last
			return st, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return st, ctx.Err()
		case <-n.closing:
			return st, ErrStopped
		}
	}
}

// Receipt returns the recipient's signed receipt for a message that is
// delivered or read, as it came: anyone can verify it.
func (n *Node) Receipt(ctx context.Context, id MessageID) (Status, []byte, error) {
	r, err := n.courier.Status(ctx, id)
	if err != nil {
		return Status{}, nil, err
	}
	if !r.State.Receipted() {
		return statusOf(&r), nil, ErrNoReceipt
	}
	raw, err := n.store.Receipt(store.ReceiptRef(r.Receipt))
	return statusOf(&r), raw, err
}
