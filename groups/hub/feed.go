package hub

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Members, and relays that may be hub, get the log at their own pace. What was sent and not acknowledged is
// bounded for each, by what its link carries in about a second: one that reads
// slowly, or not at all, is sent no more until it has acknowledged, and then in
// larger pages. It costs the others nothing, and the hub no memory.
//
// Members that lack the same get the very same frame, so that whoever sends it encodes
// it once. Those who got out of step come into step again where pages end, and one to
// whom much is under way is sent nothing more until it fills a page: it would only wait
// there, and each page costs both ends a signature and a wake.

// Bounds of what is under way to one member.
const (
	flightPages = 32
	flightPage  = 32 << 10 // bytes of one page, at first: a slow link shows that it goes on
	flightFirst = 32 << 10 // bytes, at first
	flightMost  = 512 << 10
	flightLeast = 8 << 10
	flightMuch  = 16 << 10 // bytes: then only whole pages follow
	pageStep    = 128      // records: a page ends at a seq that is a multiple of it, if it reaches one
	keptPages   = 16       // pages that are kept for those who lack the same
	pagesLife   = 2_000    // ms, after the last of them was made
)

// Pages go out at once, also those of one record after the other, until a member has
// had as many as it may: then what is new is gathered for as long as earns one more.
// Where many talk at the same time each page costs both ends about the same, whatever
// is in it.
const (
	pageRate  = 50 // earned a second
	pagesFree = 30 // that can be saved
)

// shadowGather is how long what is new waits while the shadow has not answered what it
// got before: whoever wrote it waits for both, and what waits is written together.
const shadowGather = 2 * time.Millisecond

// Times between sending a page and the word that the member has it.
const (
	flightFast = 500 * time.Millisecond // then more may be under way
	flightSlow = 1500 * time.Millisecond
	flightLost = 4 * time.Second // nothing landed for so long: it is sent again, and less at once
)

// headLife is how long a head is as good as new, in ms: a member takes none for
// news that is five minutes old.
const headLife = 60_000

// flight is what was sent to a member and not acknowledged, oldest first.
type flight struct {
	pages []flown
	bytes int
	room  int       // bytes that may be under way; 0: flightFirst
	moved time.Time // when a page landed last
}

type flown struct {
	last wire.Seq
	size int
	at   time.Time
}

func (f *flight) limit() int {
	if f.room == 0 {
		return flightFirst
	}
	return f.room
}

func (f *flight) full() bool { return len(f.pages) >= flightPages || f.bytes >= f.limit() }

// much says that so much is under way that what is new is gathered.
func (f *flight) much() bool { return f.bytes >= flightMuch }

// page is how long one page may be: longer on a link that carries much.
func (f *flight) page() int { return min(f.limit(), max(flightPage, f.limit()/4)) }

func (f *flight) left(now time.Time, last wire.Seq, size int) {
	f.pages, f.bytes = append(f.pages, flown{last, size, now}), f.bytes+size
}

// landed notes that the member holds the log up to a seq.
func (f *flight) landed(now time.Time, s wire.Seq) {
	n := 0
	for n < len(f.pages) && f.pages[n].last <= s {
		f.bytes -= f.pages[n].size
		n++
	}
	if n > 0 {
		f.moved = now
		switch took := now.Sub(f.pages[n-1].at); {
		case took < flightFast:
			f.room = min(2*f.limit(), flightMost)
		case took > flightSlow:
			f.less()
		}
	}
	f.pages = f.pages[n:]
}

// goesOn says that what is under way to a member that says it is at s will come:
// to send it once more would take the link from it.
func (f *flight) goesOn(now time.Time, s wire.Seq) bool {
	return f.bytes > flightLeast && s < f.pages[len(f.pages)-1].last && !f.stands(now, flightLost)
}

// stands says that nothing of what is under way has landed for so long.
func (f *flight) stands(now time.Time, long time.Duration) bool {
	return len(f.pages) > 0 && now.Sub(f.pages[0].at) >= long && now.Sub(f.moved) >= long
}

// less lets less be under way from now on: a link that is full is not to be filled
// with the same once more.
func (f *flight) less() { f.room = max(f.limit()/2, flightLeast) }

// pages are those made last: at most keptPages, each within pagesLife of the one
// before, so that the heads in them are as good as new.
type pages map[span]*page

// span is from behind one seq up to another.
type span struct{ from, to wire.Seq }

type page struct {
	last              wire.Seq
	size              int
	fanOut, replicate *wire.Records
}

// reach is up to where a page goes at most that begins behind a seq: so many bytes,
// but one record at least, and to the end of a step if it gets there. whole says that
// more would not go into it.
func (h *Hub) reach(from, to wire.Seq, size int) (last wire.Seq, whole bool) {
	last = h.log().Within(from, to, size)
	if step := last - last%pageStep; step > from {
		return step, true
	}
	return last, last < to
}

// page returns what stands behind a seq, up to another at most; nil if nothing
// does.
func (h *Hub) page(from, to wire.Seq) *page {
	if from >= to {
		return nil
	}
	if p := h.pages[span{from, to}]; p != nil {
		return p
	}
	f, last, ok := h.log().Page(h.cfg.Group, from, to)
	if !ok {
		return nil
	}
	f.Head = h.headAt(last)
	p := &page{last: last}
	p.fanOut, p.replicate = f.Both()
	for _, e := range f.Entries {
		p.size += len(e)
	}
	if h.pages == nil || len(h.pages) >= keptPages {
		h.pages = make(pages)
	}
	h.pages[span{from, to}], h.paged = p, h.clock
	return p
}

// forgetPages lets go of pages when none has been made for a while.
func (h *Hub) forgetPages() {
	if len(h.pages) > 0 && h.clock >= h.paged+pagesLife {
		h.pages = nil
	}
}

// feedState is what decides whether there is anything new for members.
type feedState struct {
	seq, committed wire.Seq
	shadow         protocols.Key
}

// feedAll sends all members what they lack, if there can be any who lack something, or
// those for whom there is room again, or all for whom enough was gathered.
func (h *Hub) feedAll(now time.Time) {
	s := feedState{h.log().Seq(), h.Committed(), h.view.Shadow}
	all := s != h.fed
	if !h.gathered.IsZero() && !now.Before(h.gathered) {
		all, h.gathered = true, time.Time{}
	}
	if !all && !h.hungry {
		return
	}
	h.fed, h.hungry = s, false
	feed := func(k protocols.Key) {
		if c := h.cursors[k]; c != nil && (all || c.hungry) {
			c.hungry = false
			h.feed(now, k, c)
		}
	}
	for k := range h.cfg.Ledger.Fold().Hearers() {
		feed(k)
	}
	for _, k := range h.cfg.Ledger.Departed() {
		feed(k)
	}
}

// end is up to where one is sent the log. Who is no member any more gets it as far
// as the record that says so, and nothing behind it: no word of a hub alone takes
// anybody out of a group.
func (h *Hub) end(k protocols.Key) wire.Seq {
	to := h.Committed()
	if k == h.view.Shadow {
		to = h.log().Seq()
	}
	if at, departed := h.cfg.Ledger.Departure(k); departed {
		to = min(to, at)
	}
	return to
}

// feed sends a member what it lacks: the shadow everything, others what is accepted.
func (h *Hub) feed(now time.Time, k protocols.Key, c *cursor) {
	to := h.end(k)
	for !c.lost && !c.flight.full() {
		last, whole := h.reach(c.sent, to, c.flight.page())
		if !whole && c.sent < to && h.gathers(now, k, c) {
			return
		}
		p := h.page(c.sent, last)
		if p == nil {
			return
		}
		if !whole && k != h.view.Shadow {
			c.spent = pay(c.spent, now, 1, pageRate)
		}
		c.sent = p.last
		c.flight.left(now, p.last, p.size)
		if k == h.view.Shadow {
			h.send(k, p.replicate)
		} else {
			h.send(k, p.fanOut)
		}
	}
}

// gathers says that what is new for one, and fills no page, waits for more: for the
// shadow while it writes what it got before, for a member until it has earned a page.
func (h *Hub) gathers(now time.Time, k protocols.Key, c *cursor) bool {
	var due time.Time // at once
	switch n := len(c.flight.pages); {
	case k != h.view.Shadow && c.flight.much():
		return true
	case k != h.view.Shadow:
		due = c.spent.Add(-(pagesFree - 1) * time.Second / pageRate)
	case n > 0:
		due = c.flight.pages[n-1].at.Add(shadowGather)
	}
	if !now.Before(due) {
		return false
	}
	if h.gathered.IsZero() || due.Before(h.gathered) {
		h.gathered = due
	}
	return true
}

// Deadline is when Feed wants to be called next, zero for never.
func (h *Hub) Deadline() time.Time {
	due := h.gathered
	if len(h.passing.pending) > 0 {
		if pass := h.passDue(); due.IsZero() || pass.Before(due) {
			return pass
		}
	}
	return due
}
