package localapi

import "context"

// Backend is what a daemon offers to the programs of its user. Its methods may
// be called from any goroutine, and return early when ctx ends.
//
// A peer is named as a user names it: by petname, peer id or contact link.
// The backend resolves the name. Errors a user can do something about are an
// [*Error]; any other error is shown as an internal one.
type Backend interface {
	GroupBackend

	// Identity says who this node is and how to reach it now.
	Identity(ctx context.Context) (Identity, error)
	// Status sums the node up.
	Status(ctx context.Context) (Status, error)
	// Peers lists who is connected.
	Peers(ctx context.Context) ([]Peer, error)
	// Connect dials a multiaddr with /p2p/… or a contact link, and returns once
	// connected. CodeUnreachable when nobody answers.
	Connect(ctx context.Context, target string) (Peer, error)
	// Find asks every source of discovery where a peer is, and returns their
	// answers in the order they came.
	Find(ctx context.Context, peer string) ([]Found, error)
	// Measured tells what this node has measured of a peer.
	Measured(ctx context.Context, peer string) (Measured, error)
	// Relays lists the relays known, best first.
	Relays(ctx context.Context) ([]Relay, error)
	// Mailbox sums up what this node keeps for others.
	Mailbox(ctx context.Context) (Mailbox, error)
	// Doctor tells how this node can be reached, and what limits it.
	Doctor(ctx context.Context) (Doctor, error)

	// Send returns once the message is synced in the outbox: accepted. It may
	// block while the outbox is full; CodeBusy when it stays so.
	Send(ctx context.Context, m Outgoing) (Accepted, error)
	// Message tells how far a message of ours has come; the state of its
	// successor if it was sealed anew. CodeNotFound for an id not known.
	Message(ctx context.Context, id string) (Message, error)
	// Trace tells every attempt of a message of ours.
	Trace(ctx context.Context, id string) (Trace, error)
	// Receipt gives the recipient's signed receipt. CodeNoReceipt before it came.
	Receipt(ctx context.Context, id string) (Receipt, error)

	// Inbox lists messages received, oldest first, at most q.Limit of them and
	// no more after PageBytes of bodies. More says that there are others, and
	// never comes without messages. Whether q.Since is too old the server judges.
	Inbox(ctx context.Context, q InboxQuery) (messages []Received, more bool, err error)
	// MarkRead marks inbox rows, named by their cursors, and sends read
	// receipts for those that were not. Unknown cursors are passed over.
	MarkRead(ctx context.Context, rows []Cursor) error

	// Talks sums up what is here of what was said with each peer, newest first.
	Talks(ctx context.Context) (TalkList, error)
	// Talk lists what was said with a peer before a cursor, if it is not zero: the
	// newest limit rows of it, oldest first.
	Talk(ctx context.Context, peer string, before Cursor, limit int) (TalkPage, error)

	// Contacts lists them by name.
	Contacts(ctx context.Context) ([]Contact, error)
	// AddContact adds a peer id or contact link under a petname; an empty one
	// means the name in the link. CodeExists if the petname is taken by another.
	AddContact(ctx context.Context, target, petname string) (Contact, error)
	// RemoveContact forgets a petname and returns what was forgotten.
	RemoveContact(ctx context.Context, peer string) (Contact, error)
	// RenameContact changes a petname.
	RenameContact(ctx context.Context, peer, petname string) (Contact, error)
	// Mute mutes or unmutes any peer, contact or not.
	Mute(ctx context.Context, peer string, muted bool) (Contact, error)

	// Cursors are the number before the oldest event still kept, and the
	// newest's number: a cursor outside [oldest, newest] has a gap.
	Cursors(ctx context.Context) (oldest, newest Cursor, err error)
	// Events lists events after since, oldest first: at most limit, no more
	// after PageBytes of bodies, none only if there is none.
	Events(ctx context.Context, since Cursor, limit int) ([]Event, error)
	// Subscribe gives a channel on which something is waiting whenever events
	// came since the last read of it (capacity 1, never closed), until cancel.
	// What was committed before a wakeup is visible to Events and Message.
	Subscribe() (wake <-chan struct{}, cancel func())
}
