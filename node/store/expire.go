package store

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// endsPerCommit is about how many rows end in one commit, so that other writes
// do not wait long.
const endsPerCommit = 512

// Expire deletes what has ended before the minute of now: messages, window
// entries, statuses, receipts, events, peers' records. An outgoing message whose
// end came before a final state becomes expired, with its event. It returns
// when that is done, and costs nothing when nothing ended. The caller calls it
// every minute, and at the start after what was pending has been read.
func (s *Store) Expire(now time.Time) error {
	s.expirePeers(now)
	s.flushSoon()
	for more := true; more; {
		err := s.wait(write{alone: true, change: func(t *tx) (err error) {
			more, err = s.expireSome(t, minuteOf(now))
			return err
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// expireSome ends the rows of some minutes before m.
func (s *Store) expireSome(t *tx, m minute) (more bool, err error) {
	n := 0
	from, _ := table(tableEnds)
	err = s.kv.Scan(from, endsKey(m, 0), func(key, list []byte) (bool, error) {
		if n >= endsPerCommit {
			more = true
			return false, nil
		}
		t.batch.Delete(key)
		for u := (unpacker{b: list}); len(u.b) > 0; n++ {
			flags, dead := u.byte(), u.bytes()
			if u.err != nil || len(dead) == 0 {
				return true, u.err
			}
			if err := s.end(t, dead, flags); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	return more, err
}

// end deletes one row and what hangs on it.
func (s *Store) end(t *tx, key []byte, flags byte) error {
	switch key[0] {
	case tableOutgoing:
		return s.endOutgoing(t, envelope.ID(key[1:]))
	case tableInbox:
		return s.endIncoming(t, cursorOf(key))
	case tableWindow:
		t.freeInbox(windowCost)
		if flags&flagStranger != 0 {
			if err := t.addStranger(protocols.Key(key[1:]), -windowCost); err != nil {
				return err
			}
		}
	case tableSaid:
		if err := s.endSaid(t, key); err != nil {
			return err
		}
	case tableEvents:
		t.counters.floor = max(t.counters.floor, cursorOf(key)+1)
	}
	t.batch.Delete(key)
	return nil
}

// endOutgoing ends a message. A delivered one leaves nothing; one that was not
// delivered leaves its status, which a late receipt may still change.
func (s *Store) endOutgoing(t *tx, id envelope.ID) error {
	st, err := s.Status(id)
	s.dropOutgoing(t, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	key := idKey(tableStatus, id)
	if st.Control {
		return nil
	}
	if st.State.Receipted() {
		t.batch.Delete(key)
		return nil
	}
	if !st.State.Final() && st.Successor == (envelope.ID{}) {
		st.State, st.Times[delivery.Expired] = delivery.Expired, st.End
		t.event(StateChanged, stateEvent(delivery.Expired, id)...)
	}
	t.batch.Put(key, st.append(nil))
	t.dies(minuteOf(st.End.Add(AfterEnd)), key, 0)
	return nil
}

func (s *Store) endIncoming(t *tx, c Cursor) error {
	key, read := cursorKey(tableInbox, c), cursorKey(tableRead, c)
	row, ok, err := s.kv.Get(key)
	if err != nil || !ok {
		return err
	}
	in, size, err := parseIncoming(c, row)
	if err != nil {
		return err
	}
	t.batch.Delete(key)
	t.freeInbox(rowWeight(size))
	if in.Stranger {
		if err := t.addStranger(in.From, -rowWeight(size)); err != nil {
			return err
		}
	}
	_, wasRead, err := s.kv.Get(read)
	switch {
	case wasRead:
		t.batch.Delete(read)
	case !in.Muted:
		t.counters.unread--
	}
	return err
}

func readEvent(c Cursor) []byte { return binary.AppendUvarint(nil, uint64(c)) }
