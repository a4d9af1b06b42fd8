package member

import (
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
)

// What a hub signs says its time, which must not run backward, nor be far from the
// time here. No page is refused for that: nothing follows from the time that a head
// bears, and the clock that is wrong may be this node's.
var (
	ErrBackward = errors.New("its time runs backward")
	ErrClock    = errors.New("its time is not this node's")
	ErrFuture   = errors.New("it took a record whose time it has not come to")
)

// timesApart is how far apart two pages are at least that bear a wrong time. One may
// have waited on its way while the hub, or this node, slept.
const timesApart = 10 * time.Second

// But a page seldom waits: what comes again and again between pages that bear the right
// time is not explained by that.
const (
	lapseTime = time.Hour
	maxLapses = 3 // in that time
)

// times is what the hub said of the time in its present term.
type times struct {
	newest wire.Millis // by heads and beats, wherever they came from
	wrong  time.Time   // since when pages bear a wrong one; zero: they do not
	lapsed time.Time   // when they began to, the first time of those that count
	lapses int         // how often they did since
}

func (t *times) note(at wire.Millis) { t.newest = max(t.newest, at) }

// timed judges the time on the head of a page that the hub has sent just now.
func (m *Member) timed(now time.Time, h *wire.Head) {
	t := &m.times
	err := t.judge(now, h.Time)
	switch {
	case err == nil:
		t.wrong = time.Time{}
	case t.wrong.IsZero():
		if t.wrong = now; t.lapse(now) {
			m.mistimed(err)
		}
	case now.Sub(t.wrong) >= timesApart:
		m.mistimed(err)
	}
}

// lapse notes that a page bears a wrong time after one that did not, and says whether
// that was too often.
func (t *times) lapse(now time.Time) bool {
	if now.Sub(t.lapsed) >= lapseTime {
		t.lapsed, t.lapses = now, 0
	}
	t.lapses++
	return t.lapses > maxLapses
}

func (t *times) judge(now time.Time, at wire.Millis) error {
	here := wire.Millis(now.UnixMilli())
	switch {
	case at+roster.Slack < t.newest:
		return fmt.Errorf("%w: by %v", ErrBackward, span(at, t.newest))
	case at > here+roster.Slack:
		return fmt.Errorf("%w: %v ahead", ErrClock, span(here, at))
	case at+roster.Slack < here:
		return fmt.Errorf("%w: %v behind", ErrClock, span(at, here))
	}
	return nil
}

func span(from, to wire.Millis) time.Duration {
	return (time.Duration(to-from) * time.Millisecond).Round(time.Second)
}

// early sees whether the hub took a record that is new here, in this term, before its
// author's time: by its own clock it had to refuse it.
func (m *Member) early(h *wire.Head, p page) {
	for _, e := range p {
		if r := e.entry.Record; e.place.Seq > m.log().Seq() && e.place.Number == h.Term.Number && e.place.Primary == h.Primary && r.Time > h.Time+roster.Slack {
			m.mistimed(fmt.Errorf("%w: by %v", ErrFuture, span(h.Time, r.Time)))
			return
		}
	}
}

func (m *Member) mistimed(err error) {
	m.ready.Events = append(m.ready.Events, Event{Kind: Mistimed, Peer: m.hub.Primary, Err: err})
}
