package localapi

import (
	"context"
	"io"
	"iter"
	"net/url"
	"strconv"
)

// Identity says who the node is and how to reach it now.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	return call[Identity](ctx, c, "GET", "id", nil)
}

// Status sums the node up.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, "GET", "status", nil)
}

// Peers lists who is connected.
func (c *Client) Peers(ctx context.Context) ([]Peer, error) {
	return call[[]Peer](ctx, c, "GET", "peers", nil)
}

// Connect dials a multiaddr with /p2p/… or a contact link.
func (c *Client) Connect(ctx context.Context, target string) (Peer, error) {
	return call[Peer](ctx, c, "POST", "connect", connectRequest{target})
}

// Find asks every source of discovery where a peer is.
func (c *Client) Find(ctx context.Context, peer string) ([]Found, error) {
	return call[[]Found](ctx, c, "GET", "peers/"+segment(peer)+"/addrs", nil)
}

// Measured tells what the node has measured of a peer.
func (c *Client) Measured(ctx context.Context, peer string) (Measured, error) {
	return call[Measured](ctx, c, "GET", "peers/"+segment(peer), nil)
}

// Relays lists the relays the node knows, best first.
func (c *Client) Relays(ctx context.Context) ([]Relay, error) {
	return call[[]Relay](ctx, c, "GET", "relays", nil)
}

// Mailbox sums up what the node keeps for others.
func (c *Client) Mailbox(ctx context.Context) (Mailbox, error) {
	return call[Mailbox](ctx, c, "GET", "mailbox", nil)
}

// Doctor tells how the node can be reached, and what limits it.
func (c *Client) Doctor(ctx context.Context) (Doctor, error) {
	return call[Doctor](ctx, c, "GET", "doctor", nil)
}

// Send returns once the message is accepted: synced in the outbox.
func (c *Client) Send(ctx context.Context, m Outgoing) (Accepted, error) {
	return call[Accepted](ctx, c, "POST", "messages", m)
}

// Message tells how far a message has come.
func (c *Client) Message(ctx context.Context, id string) (Message, error) {
	return call[Message](ctx, c, "GET", "messages/"+segment(id), nil)
}

// Trace tells every attempt of a message.
func (c *Client) Trace(ctx context.Context, id string) (Trace, error) {
	return call[Trace](ctx, c, "GET", "messages/"+segment(id)+"/trace", nil)
}

// Receipt gives the recipient's signed receipt.
func (c *Client) Receipt(ctx context.Context, id string) (Receipt, error) {
	return call[Receipt](ctx, c, "GET", "messages/"+segment(id)+"/receipt", nil)
}

// InboxPage gives one page of the inbox.
func (c *Client) InboxPage(ctx context.Context, q InboxQuery) (InboxPage, error) {
	v := url.Values{"since": {strconv.FormatUint(uint64(q.Since), 10)}}
	if q.Unread {
		v.Set("unread", "true")
	}
	if q.Requests {
		v.Set("requests", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return call[InboxPage](ctx, c, "GET", "inbox?"+v.Encode(), nil)
}

// Inbox gives the pages of the inbox, one after another, until the last.
func (c *Client) Inbox(ctx context.Context, q InboxQuery) iter.Seq2[InboxPage, error] {
	return func(yield func(InboxPage, error) bool) {
		for {
			page, err := c.InboxPage(ctx, q)
			if !yield(page, err) || err != nil || !page.More {
				return
			}
			q.Since = page.Cursor
		}
	}
}

// Talks sums up what was said with each peer.
func (c *Client) Talks(ctx context.Context) (TalkList, error) {
	return call[TalkList](ctx, c, "GET", "talks", nil)
}

// Talk gives the newest rows of what was said with a peer before a cursor, or
// of all of it if that is zero; limit 0 means DefaultPage.
func (c *Client) Talk(ctx context.Context, peer string, before Cursor, limit int) (TalkPage, error) {
	v := url.Values{"before": {strconv.FormatUint(uint64(before), 10)}}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return call[TalkPage](ctx, c, "GET", "talks/"+segment(peer)+"?"+v.Encode(), nil)
}

// MarkRead marks inbox rows, named by their cursors, as read.
func (c *Client) MarkRead(ctx context.Context, rows []Cursor) error {
	_, err := call[empty](ctx, c, "POST", "inbox/read", readRequest{rows})
	return err
}

// Contacts lists them by name.
func (c *Client) Contacts(ctx context.Context) ([]Contact, error) {
	return call[[]Contact](ctx, c, "GET", "contacts", nil)
}

// AddContact gives a peer id or contact link a petname; an empty one means the
// name in the link.
func (c *Client) AddContact(ctx context.Context, target, petname string) (Contact, error) {
	return call[Contact](ctx, c, "POST", "contacts", contactRequest{target, petname})
}

// RemoveContact forgets a petname.
func (c *Client) RemoveContact(ctx context.Context, peer string) (Contact, error) {
	return call[Contact](ctx, c, "DELETE", "contacts/"+segment(peer), nil)
}

// RenameContact changes a petname.
func (c *Client) RenameContact(ctx context.Context, peer, petname string) (Contact, error) {
	return call[Contact](ctx, c, "PATCH", "contacts/"+segment(peer), contactRequest{Name: petname})
}

// Mute mutes or unmutes a peer.
func (c *Client) Mute(ctx context.Context, peer string, muted bool) (Contact, error) {
	method := "PUT"
	if !muted {
		method = "DELETE"
	}
	return call[Contact](ctx, c, method, "muted/"+segment(peer), nil)
}

// SetLogLevel sets the daemon's log level: debug, info, warn or error.
func (c *Client) SetLogLevel(ctx context.Context, level string) error {
	_, err := call[empty](ctx, c, "PUT", "log", levelRequest{level})
	return err
}

// Stop ends the daemon and returns when it has ended.
func (c *Client) Stop(ctx context.Context) error {
	resp, err := c.do(ctx, "POST", "stop", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// Its end is the answer, in whatever way the connection ends.
	_, _ = io.Copy(io.Discard, resp.Body)
	return ctx.Err()
}
