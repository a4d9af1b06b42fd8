package node

import (
	"context"
	"errors"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/message"
)

// Talk is what is here of what was said with one peer, in sum.
type Talk struct {
	With     Peer
	Name     string // see NameOf
	Unread   int
	Newest   time.Time // when the newest was received, or made here
	Stranger bool
	Muted    bool
}

// Words is something that was said: a message received, or one sent with Keep.
type Words struct {
	Cursor   Cursor
	Received *Received
	Sent     *Own
}

// Own is a message sent with Keep.
type Own struct {
	Status // under the id it was sent with
	Type   string
	Body   []byte
}

// mostStrangers bounds how many strangers a list of talks tells of.
const mostStrangers = 256

// Talks sums up what was said with each peer, the newest first; of strangers
// only the last few hundred. Events after the cursor tell what came since.
func (n *Node) Talks() (all []Talk, at Cursor, err error) {
	_, at = n.store.Cursors()
	list, err := n.store.Talks(at, mostStrangers)
	all = make([]Talk, len(list))
	for i, t := range list {
		all[i] = Talk{With: t.With, Name: n.NameOf(t.With), Unread: t.Unread, Newest: t.At, Stranger: t.Stranger, Muted: t.Muted}
	}
	return all, at, err
}

// Talk lists what was said with a peer before a cursor, if it is not zero: the
// newest limit rows of it, oldest first. More says that there are rows before
// them, and next where they end.
func (n *Node) Talk(ctx context.Context, with Peer, before Cursor, limit int) (list []Words, next Cursor, more bool, err error) {
	rows, more, err := n.store.Talk(with, before, limit)
	if err != nil {
		return nil, 0, false, err
	}
	for _, row := range rows {
		if next == 0 {
			next = row.Cursor()
		}
		w, err := n.words(ctx, row)
		switch {
		case err == nil:
			list = append(list, w)
		case ctx.Err() != nil, errors.Is(err, ErrStopped):
			return nil, 0, false, err
		} // an unreadable row hides no other
	}
	return list, next, more, nil
}

func (n *Node) words(ctx context.Context, row store.Words) (Words, error) {
	w := Words{Cursor: row.Cursor()}
	if row.Said != nil {
		own, err := n.said(ctx, row.Said)
		w.Sent = own
		return w, err
	}
	r, err := n.received(row.Received)
	w.Received = &r
	return w, err
}

// said is a message of ours with how it stands.
func (n *Node) said(ctx context.Context, m *store.Said) (*Own, error) {
	content, _, err := message.ParseUnpadded(m.Content)
	if err != nil {
		return nil, err
	}
	st, err := n.Status(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	st.ID = m.ID
	return &Own{Status: st, Type: content.Type, Body: content.Body}, nil
}
