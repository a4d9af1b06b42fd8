package courier

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
)

// readDoubt is how long after it was sent a read receipt may have gone into a
// connection that was already dead.
const readDoubt = time.Minute

// recentReads are read receipts that went out over a connection lately. Nobody
// answers them, and unlike for a delivery nobody asks for them again: if the
// connection is lost, they are sent once more.
type recentReads struct {
	at      time.Time // of the newest
	entries []ack.Entry
}

// remember notes read receipts that are about to go out.
func (r *receipts) remember(author protocols.Key, entries []ack.Entry) {
	if len(entries) == 0 {
		return
	}
	now := r.c.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, old := range r.recent {
		if now.Sub(old.at) > readDoubt {
			delete(r.recent, other)
		}
	}
	old := r.recent[author]
	if old == nil {
		if len(r.recent) >= maxAuthors {
			return
		}
		old = new(recentReads)
		r.recent[author] = old
	}
	old.at = now
	if old.entries = append(old.entries, entries...); len(old.entries) > maxPending {
		old.entries = old.entries[len(old.entries)-maxPending:]
	}
}

// lost sends read receipts again whose connection is gone.
func (r *receipts) lost(author protocols.Key) {
	r.mu.Lock()
	old := r.recent[author]
	delete(r.recent, author)
	r.mu.Unlock()
	if old != nil && r.c.Now().Sub(old.at) <= readDoubt {
		r.add(author, ack.Read, old.entries...)
	}
}
