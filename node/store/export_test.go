package store

import (
	"fmt"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
)

// Audit reckons from the rows what the store keeps count of, and checks that
// every row that must end is on a list of ends.
func (s *Store) Audit() error {
	a := audit{s: s, listed: make(map[string]bool)}
	for _, step := range []struct {
		table byte
		fn    func(key, row []byte) error
	}{
		{tableEnds, a.ends},
		{tableInbox, a.inboxRow},
		{tableWindow, a.window},
		{tableStranger, a.stranger},
		{tableOutgoing, a.mustEnd},
		{tableEvents, a.mustEnd},
		{tableReceipts, a.mustEnd},
	} {
		from, to := table(step.table)
		err := s.kv.Scan(from, to, func(key, row []byte) (bool, error) { return true, step.fn(key, row) })
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counters
	if c.inbox != a.inbox || c.unread != a.unread || c.strangers != a.strangers {
		return fmt.Errorf("counted inbox %d, unread %d, strangers %d; there are %d, %d, %d",
			c.inbox, c.unread, c.strangers, a.inbox, a.unread, a.strangers)
	}
	if len(s.flight) == 0 && (s.taken.inbox != a.inbox || s.taken.strangers != a.strangers) {
		return fmt.Errorf("taken %+v; there are %d, %d", s.taken, a.inbox, a.strangers)
	}
	return nil
}

type audit struct {
	s                        *Store
	listed                   map[string]bool
	inbox, unread, strangers int64
}

func (a *audit) ends(_, list []byte) error {
	u := unpacker{b: list}
	for len(u.b) > 0 {
		u.byte()
		a.listed[string(u.bytes())] = true
	}
	return u.err
}

func (a *audit) mustEnd(key, _ []byte) error {
	if !a.listed[string(key)] {
		return fmt.Errorf("row %q never ends", key)
	}
	return nil
}

func (a *audit) inboxRow(key, row []byte) error {
	in, size, err := parseIncoming(cursorOf(key), row)
	if err != nil {
		return err
	}
	a.inbox += rowWeight(size)
	_, read, err := a.s.kv.Get(cursorKey(tableRead, in.Cursor))
	if err != nil {
		return err
	}
	if !read && !in.Muted {
		a.unread++
	}
	if _, ok, err := a.s.kv.Get(windowKey(in.From, in.ID)); err != nil || !ok {
		return fmt.Errorf("inbox row %d without window entry: %w", in.Cursor, err)
	}
	return a.mustEnd(key, row)
}

func (a *audit) window(key, row []byte) error {
	a.inbox += windowCost
	return a.mustEnd(key, row)
}

func (a *audit) stranger(_, row []byte) error {
	u := unpacker{b: row}
	a.strangers += int64(u.uint())
	return u.err
}

// Layout is the version of the rows this code writes.
const Layout = layout

// Downgrade turns the rows of a store into those of layout 0: contacts without
// a time, and no stamp.
func Downgrade(rows kv.Store) error {
	var b kv.Batch
	from, to := table(tableContacts)
	err := rows.Scan(from, to, func(key, row []byte) (bool, error) {
		c, err := parseContact(protocols.Key(key[1:]), row)
		b.Put(key, c.appendV0(nil))
		return true, err
	})
	if err != nil {
		return err
	}
	b.Delete(metaKey(layoutName))
	return rows.Apply(&b, true)
}

// Stamp overwrites the stamp of the layout.
func Stamp(rows kv.Store, version byte) error {
	var b kv.Batch
	b.Put(metaKey(layoutName), []byte{version})
	return rows.Apply(&b, true)
}
