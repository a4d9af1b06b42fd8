package hub

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Receipts are passed on together: when all have acknowledged all, for then no more
// will come, else in a moment. Those about one record of a group of a thousand go at
// once. If all write each owes a receipt to each; then they go so much later for each
// that has gone, and of every member only the newest.
const (
	passWait  = 20 * time.Millisecond
	passEach  = 100 * time.Microsecond
	passFrame = time.Millisecond       // more, for all that go to one author
	passFree  = 100 * time.Millisecond // for what goes at once
)

// passing is what the members acknowledged, and to whom that is still to be told.
type passing struct {
	of      map[protocols.Key]acknowledged
	pending map[protocols.Key]map[protocols.Key][]byte // by author, by member: its newest
	since   time.Time                                  // when the oldest of these came; zero: there is none
	spent   time.Time                                  // up to when what was passed on has used up the time for it
}

// acknowledged is a member's newest receipt.
type acknowledged struct {
	seq     wire.Seq
	read    wire.Seq
	waiting []wire.Seq // records it could not open
	raw     []byte
}

// ErrReceipt is returned for a receipt that is not of who brings it.
var ErrReceipt = errors.New("a receipt in another's name")

// Receipts takes what a member acknowledges; of who is none nothing is kept. It is not
// verified: the authors do. An error says that it is none of the member's.
func (h *Hub) Receipts(k protocols.Key, list [][]byte) error {
	for _, b := range list {
		r, err := wire.ReadReceipt(b)
		switch {
		case err != nil:
			return err
		case r.Member != k || r.Group != h.cfg.Group:
			return ErrReceipt
		case h.cfg.Ledger.Fold().Member(k) && h.log().Has(r.Last.Seq, r.Log):
			h.receipt(k, r, b)
		}
	}
	return nil
}

// receipt notes whom a receipt tells something new: the authors of what it covers
// and the one before did not, and of what is behind the first of which it says
// something else.
func (h *Hub) receipt(k protocols.Key, r *wire.Receipt, b []byte) {
	if h.passing.of == nil {
		h.passing.of = make(map[protocols.Key]acknowledged)
		h.passing.pending = make(map[protocols.Key]map[protocols.Key][]byte)
	}
	old := h.passing.of[k]
	from := min(old.seq, unlike(old.waiting, r.Waiting))
	if r.Read != old.read {
		from = min(from, old.read)
	}
	h.passing.of[k] = acknowledged{seq: r.Last.Seq, read: r.Read, waiting: r.Waiting, raw: b}
	base, _ := h.log().Base()
	for s := max(from, base.Seq) + 1; s <= r.Last.Seq; s++ {
		if e, ok := h.log().At(s); ok && e.Record.Author != k && e.Record.Kind.Receipted() {
			h.owe(e.Record.Author, k, b)
		}
	}
}

// unlike is the seq before the first that only one of two ascending lists has.
func unlike(a, b []wire.Seq) wire.Seq {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return b[i] - 1
		case i >= len(b):
			return a[i] - 1
		case a[i] != b[i]:
			return min(a[i], b[i]) - 1
		}
	}
	return math.MaxUint64
}

// How often a member may ask for all receipts: so often, and so much less for each
// that it gets.
const (
	askEvery    = time.Second
	askEachMore = 10 * time.Millisecond
)

// AskReceipts takes a member's wish to have the newest receipt of every other:
// it has lost some, or wants to show who has what.
func (h *Hub) AskReceipts(now time.Time, k protocols.Key) {
	c := h.cursors[k]
	if k != h.self && (c == nil || now.Before(c.ask)) {
		return
	}
	if c != nil {
		c.ask = now.Add(askEvery + time.Duration(len(h.passing.of))*askEachMore)
	}
	for of, a := range h.passing.of {
		switch {
		case !h.cfg.Ledger.Fold().Member(of): // any more
			delete(h.passing.of, of)
		case of != k:
			h.owe(k, of, a.raw)
		}
	}
}

func (h *Hub) owe(author, member protocols.Key, b []byte) {
	if h.passing.pending[author] == nil {
		h.passing.pending[author] = make(map[protocols.Key][]byte)
	}
	h.passing.pending[author][member] = b
}

// pass passes receipts on, those for this node into its Ready.
func (h *Hub) pass(now time.Time) {
	p := &h.passing
	if len(p.pending) == 0 {
		return
	}
	if p.since.IsZero() {
		p.since = now
	}
	if now.Before(h.passDue()) {
		return
	}
	var cost time.Duration
	for author := range h.cfg.Ledger.Fold().All() {
		list := inOrder(p.pending[author])
		if author == h.self {
			h.ready.Receipts = append(h.ready.Receipts, list...)
			continue
		}
		if h.cursors[author] == nil || len(list) == 0 {
			continue
		}
		cost += passFrame + time.Duration(len(list))*passEach
		for part := range slices.Chunk(list, maxPassed) {
			h.send(author, wire.PassedReceipts(h.cfg.Group, part...))
		}
	}
	clear(p.pending)
	p.since = time.Time{}
	if p.spent.Before(now) {
		p.spent = now
	}
	p.spent = p.spent.Add(cost)
}

// passDue is when receipts may be passed on next.
func (h *Hub) passDue() time.Time {
	due, together := h.passing.spent.Add(-passFree), h.passing.since.Add(passWait)
	if due.Before(together) && !h.acknowledged() {
		return together
	}
	return due
}

// acknowledged says that all who follow this hub have acknowledged all.
func (h *Hub) acknowledged() bool {
	end := h.Committed()
	for k := range h.cfg.Ledger.Fold().All() {
		if (k == h.self || h.cursors[k] != nil) && h.passing.of[k].seq < end {
			return false
		}
	}
	return true
}

// maxPassed is how many receipts go into one frame: it fits if each is longest.
const maxPassed = wire.MaxFrame/(wire.MaxReceipt+8) - 1

func inOrder(of map[protocols.Key][]byte) [][]byte {
	keys := make([]protocols.Key, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b protocols.Key) int { return slices.Compare(a[:], b[:]) })
	list := make([][]byte, 0, len(keys))
	for _, k := range keys {
		list = append(list, of[k])
	}
	return list
}
