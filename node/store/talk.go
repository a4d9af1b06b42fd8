package store

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Talk is what was said with one peer, in sum.
type Talk struct {
	With     protocols.Key
	Newest   Cursor    // of what was received or kept
	At       time.Time // when that was received, or made here
	Unread   int
	Stranger bool // as things stand now
	Muted    bool // by the user, now
}

// Talks sums up the inbox and what is kept of our own words up to a cursor, the
// newest first. Of strangers it tells of the newest most alone.
func (s *Store) Talks(to Cursor, most int) (list []Talk, err error) {
	all := make(map[protocols.Key]*Talk)
	with := func(k protocols.Key) *Talk {
		if all[k] == nil {
			all[k] = &Talk{With: k, Stranger: s.Stranger(k), Muted: s.Muted(k)}
		}
		return all[k]
	}
	now := s.now()
	err = errors.Join(s.eachIncoming(0, to+1, func(in *Incoming) error {
		if !now.Before(in.End) {
			return nil
		}
		t := with(in.From)
		_, read, err := s.kv.Get(cursorKey(tableRead, in.Cursor))
		if !read {
			t.Unread++
		}
		t.Newest, t.At = in.Cursor, in.Received
		return err
	}), s.eachSaid(0, to+1, func(m *Said) error {
		if t := with(m.To); now.Before(m.End) && m.Cursor > t.Newest {
			t.Newest, t.At = m.Cursor, m.Created
		}
		return nil
	}))
	for _, t := range all {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Talk) int { return cmp.Compare(b.Newest, a.Newest) })
	return slices.DeleteFunc(list, func(t Talk) bool {
		if t.Stranger {
			most--
		}
		return t.Newest == 0 || t.Stranger && most < 0
	}), err
}

// Words is a row of a talk: one of the two is set.
type Words struct {
	Received *Incoming
	Said     *Said
}

// Cursor names the row.
func (w Words) Cursor() Cursor {
	if w.Said != nil {
		return w.Said.Cursor
	}
	return w.Received.Cursor
}

// Talk lists what was said with a peer before a cursor, if that is not zero: the
// newest limit rows of it, oldest first. More says that there are rows before
// them. Muted peers' words are among them.
func (s *Store) Talk(with protocols.Key, before Cursor, limit int) (list []Words, more bool, err error) {
	if before == 0 {
		before = math.MaxUint64
	}
	now := s.now()
	newest := ring{size: limit}
	err = errors.Join(s.eachIncoming(0, before, func(in *Incoming) error {
		if in.From == with && now.Before(in.End) {
			newest.add(row{in.Cursor, false})
		}
		return nil
	}), s.eachSaid(0, before, func(m *Said) error {
		if m.To == with && now.Before(m.End) {
			newest.add(row{m.Cursor, true})
		}
		return nil
	}))
	if err != nil {
		return nil, false, err
	}
	for _, r := range newest.newest() {
		w, err := s.words(r)
		switch {
		case err == nil:
			list = append(list, w)
		case !errors.Is(err, ErrNotFound): // it ended just now
			return nil, false, err
		}
	}
	return list, newest.more, nil
}

func (s *Store) words(r row) (w Words, err error) {
	if r.said {
		w.Said, err = s.said(r.cursor)
	} else {
		w.Received, err = s.Message(r.cursor)
	}
	return w, err
}

// eachIncoming calls fn with the inbox rows after since and before to, their
// contents still sealed. What it gets is fn's only until it returns.
func (s *Store) eachIncoming(since, before Cursor, fn func(*Incoming) error) error {
	return s.kv.Scan(cursorKey(tableInbox, since+1), cursorKey(tableInbox, before), func(key, row []byte) (bool, error) {
		in, _, err := parseIncoming(cursorOf(key), row)
		if err != nil {
			return false, err
		}
		return true, fn(in)
	})
}

// eachSaid is eachIncoming for what is kept of our own words.
func (s *Store) eachSaid(since, before Cursor, fn func(*Said) error) error {
	return s.kv.Scan(cursorKey(tableSaid, since+1), cursorKey(tableSaid, before), func(key, row []byte) (bool, error) {
		m, err := parseSaid(cursorOf(key), row)
		if err != nil {
			return false, err
		}
		return true, fn(m)
	})
}

// row names a row of a talk.
type row struct {
	cursor Cursor
	said   bool
}

// ring keeps the newest rows of what is added.
type ring struct {
	size int
	rows []row
	more bool // rows were left out
}

func (r *ring) add(x row) {
	r.rows = append(r.rows, x)
	if len(r.rows) >= 4*r.size+64 { // now and then, not each time
		r.rows = r.newest()
	}
}

// newest are the newest rows, oldest first.
func (r *ring) newest() []row {
	slices.SortFunc(r.rows, func(a, b row) int { return cmp.Compare(a.cursor, b.cursor) })
	if n := len(r.rows) - r.size; n > 0 {
		r.more, r.rows = true, r.rows[n:]
	}
	return r.rows
}
