package store

import (
	"errors"
	"time"
)

// Query says what to list of the inbox. The zero value lists all but what came
// from muted peers, the oldest first.
type Query struct {
	Since    Cursor // only rows after this one
	Unread   bool   // only rows that are not read
	Requests bool   // only what came from strangers and muted peers
	Limit    int    // at most so many rows; no limit if zero
}

// Inbox calls fn for the messages that match q and have not ended, in the order
// of their cursors, until fn returns more == false or an error, which Inbox
// passes on. fn may keep the message.
func (s *Store) Inbox(q Query, fn func(*Incoming) (more bool, err error)) error {
	now, n := s.now(), 0
	_, to := table(tableInbox)
	return s.kv.Scan(cursorKey(tableInbox, q.Since+1), to, func(key, row []byte) (bool, error) {
		in, err := s.readIncoming(cursorOf(key), row)
		if err != nil || !s.matches(q, in, now) {
			return err == nil, err
		}
		s.open(in)
		n++
		more, err := fn(in)
		return more && (q.Limit == 0 || n < q.Limit), err
	})
}

// Message returns the inbox row with that cursor, or ErrNotFound if there is
// none or it has ended.
func (s *Store) Message(c Cursor) (*Incoming, error) {
	row, ok, err := s.kv.Get(cursorKey(tableInbox, c))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	in, err := s.readIncoming(c, row)
	if err != nil {
		return nil, err
	}
	if !s.now().Before(in.End) {
		return nil, ErrNotFound
	}
	s.open(in)
	return in, nil
}

// readIncoming reads a row, with all but its content as things stand now.
func (s *Store) readIncoming(c Cursor, row []byte) (*Incoming, error) {
	in, _, err := parseIncoming(c, row)
	if err != nil {
		return nil, err
	}
	in.Stranger = in.Stranger && s.Stranger(in.From)
	in.silent = in.Muted
	in.Muted = in.Muted && s.Muted(in.From)
	read, ok, err := s.kv.Get(cursorKey(tableRead, c))
	if err != nil {
		return nil, err
	}
	if ok {
		in.Read = (&unpacker{b: read}).time()
	}
	return in, nil
}

func (s *Store) matches(q Query, in *Incoming, now time.Time) bool {
	switch {
	case !now.Before(in.End):
		return false
	case q.Unread && !in.Read.IsZero():
		return false
	case q.Requests:
		return in.Stranger || in.Muted
	}
	return !in.Muted
}

// open reads the content of a row.
func (s *Store) open(in *Incoming) {
	content, err := s.shred.Unshred(in.End, in.Content)
	in.Content, in.Unreadable = content, err != nil
}

// MarkRead marks inbox rows as read, in one synced commit, and returns those
// that were not, without content, for the receipts. Cursors without a row are
// passed over.
func (s *Store) MarkRead(at time.Time, rows ...Cursor) (marked []*Incoming, err error) {
	err = s.wait(write{sync: true, alone: true, change: func(t *tx) error {
		marked = nil
		seen := make(map[Cursor]struct{}, len(rows))
		for _, c := range rows {
			if _, twice := seen[c]; twice {
				continue
			}
			seen[c] = struct{}{}
			in, err := s.markRead(t, c, at)
			switch {
			case err == nil && in != nil:
				marked = append(marked, in)
			case err != nil && !errors.Is(err, ErrNotFound):
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return marked, nil
}

func (s *Store) markRead(t *tx, c Cursor, at time.Time) (*Incoming, error) {
	in, err := s.Message(c)
	if err != nil || !in.Read.IsZero() {
		return nil, err
	}
	t.batch.Put(cursorKey(tableRead, c), appendTime(nil, at))
	t.event(WasRead, readEvent(c)...)
	if !in.silent {
		t.counters.unread--
	}
	in.Read, in.Content = at, nil
	return in, nil
}
