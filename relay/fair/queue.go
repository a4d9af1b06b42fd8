package fair

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Limits bound a queue. Each must be at least 1.
type Limits struct {
	Flight       int // envelopes in flight
	FlightBytes  int // and their bytes
	Waiting      int // envelopes that wait
	WaitingBytes int // and their bytes
}

// What strangers get, and what one line does.
const (
	strangeWaiting = 10 // of the places to wait they have one in so many
	strangeTurns   = 10 // and of the turns while others wait too
	strangeFlight  = 2  // and of the places in flight: a slow next hop holds one for seconds
	lineFlight     = 4  // one line has at most one in so many of the places in flight of its class
)

// Job is one envelope that wants to be passed on.
type Job struct {
	Line     protocols.Key // the peer that brought it
	Stranger bool
	Weight   float64 // the line's share; above zero
	Size     int     // bytes
	At       time.Time
}

// Queue is a bounded number of places in flight, and who waits for them. It is
// not safe for concurrent use.
type Queue[T any] struct {
	limits  Limits
	classes [2]class[T] // of those who are no strangers, and of strangers
	count   int         // in flight
	bytes   int
	flight  map[protocols.Key]*load
}

// load is what a line has in flight.
type load struct{ count, bytes int }

// New makes an empty queue.
func New[T any](l Limits) *Queue[T] {
	q := &Queue[T]{limits: l, flight: make(map[protocols.Key]*load)}
	strange := q.limits.share(strangeWaiting)
	q.classes[0] = class[T]{weight: strangeTurns - 1, waiting: l.Waiting - strange.Waiting, waitingBytes: l.WaitingBytes - strange.WaitingBytes, flight: l}
	q.classes[1] = class[T]{weight: 1, waiting: strange.Waiting, waitingBytes: strange.WaitingBytes, flight: l.share(strangeFlight)}
	for i := range q.classes {
		q.classes[i].lines = make(map[protocols.Key]*line[T])
	}
	return q
}

// share is one part in n of the limits, of each at least 1.
func (l Limits) share(n int) Limits {
	return Limits{
		Flight: max(l.Flight/n, 1), FlightBytes: max(l.FlightBytes/n, 1),
		Waiting: max(l.Waiting/n, 1), WaitingBytes: max(l.WaitingBytes/n, 1),
	}
}

func (q *Queue[T]) class(stranger bool) *class[T] {
	if stranger {
		return &q.classes[1]
	}
	return &q.classes[0]
}

// Push has v wait for its turn, which Pop gives at once if there is room. What
// has to go for it, which may be v itself, is returned.
func (q *Queue[T]) Push(j Job, v T) (out []T) {
	c := q.class(j.Stranger)
	if c.count == 0 {
		c.pass = max(c.pass, q.other(c).pass) // who was away has saved nothing up
	}
	c.push(j, v)
	for c.count > c.waiting && c.count > 1 || c.bytes > c.waitingBytes && c.count > 1 {
		out = append(out, c.putOut())
	}
	return out
}

func (q *Queue[T]) other(c *class[T]) *class[T] {
	if c == &q.classes[0] {
		return &q.classes[1]
	}
	return &q.classes[0]
}

// Pop gives the next place in flight to whose turn it is. The caller gives it
// back with Done.
func (q *Queue[T]) Pop() (v T, j Job, ok bool) {
	first, second := &q.classes[0], &q.classes[1]
	if second.pass < first.pass {
		first, second = second, first
	}
	for _, c := range []*class[T]{first, second} {
		if n := c.next(q); n != nil {
			v, j = c.take(n)
			q.enter(c, j)
			return v, j, true
		}
	}
	return v, j, false
}

// fits says that a job of a line may fly now. Alone, a job flies whatever its
// size.
func (q *Queue[T]) fits(c *class[T], j *Job) bool {
	if q.count > 0 && (q.count >= q.limits.Flight || q.bytes+j.Size > q.limits.FlightBytes) {
		return false
	}
	if c.flying > 0 && (c.flying >= c.flight.Flight || c.flyingBytes+j.Size > c.flight.FlightBytes) {
		return false
	}
	own, line := q.flight[j.Line], c.flight.share(lineFlight)
	return own == nil || own.count < line.Flight && own.bytes+j.Size <= line.FlightBytes
}

func (q *Queue[T]) enter(c *class[T], j Job) {
	own := q.flight[j.Line]
	if own == nil {
		own = &load{}
		q.flight[j.Line] = own
	}
	q.count, q.bytes = q.count+1, q.bytes+j.Size
	c.flying, c.flyingBytes = c.flying+1, c.flyingBytes+j.Size
	own.count, own.bytes = own.count+1, own.bytes+j.Size
}

// Done gives back the place in flight of a job that Pop returned.
func (q *Queue[T]) Done(j Job) {
	c, own := q.class(j.Stranger), q.flight[j.Line]
	q.count, q.bytes = q.count-1, q.bytes-j.Size
	c.flying, c.flyingBytes = c.flying-1, c.flyingBytes-j.Size
	if own.count, own.bytes = own.count-1, own.bytes-j.Size; own.count == 0 {
		delete(q.flight, j.Line)
	}
}

// Sweep takes out what has waited since before the given time.
func (q *Queue[T]) Sweep(before time.Time) (out []T) {
	for i := range q.classes {
		out = q.classes[i].sweep(before, out)
	}
	return out
}

// Flying is how many envelopes are in flight, and their bytes.
func (q *Queue[T]) Flying() (count, bytes int) { return q.count, q.bytes }

// Waiting is how many envelopes wait.
func (q *Queue[T]) Waiting() int { return q.classes[0].count + q.classes[1].count }

// Load is how full the queue is, from 0 to 1.
func (q *Queue[T]) Load() float64 {
	share := func(n, limit int) float64 { return min(float64(n)/float64(limit), 1) }
	return max(share(q.count, q.limits.Flight), share(q.bytes, q.limits.FlightBytes))
}
