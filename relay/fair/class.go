package fair

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// class is the lines of friends, or those of strangers.
type class[T any] struct {
	weight float64 // its turns, while both classes wait
	pass   float64 // bytes it was served, divided by its weight

	waiting, waitingBytes int // at most
	count, bytes          int // that wait
	lines                 map[protocols.Key]*line[T]
	now                   float64 // virtual time: the start tag of what was served last

	flight              Limits // at most; only the fields of flight count
	flying, flyingBytes int
}

// line is what one peer brought and what waits, the oldest first. It is kept
// until virtual time has passed its last tag: whoever brings one envelope after
// the other must not begin anew with each.
type line[T any] struct {
	jobs   []waiting[T]
	bytes  int
	finish float64 // the tag at which its newest job ends
}

type waiting[T any] struct {
	Job
	start float64
	value T
}

func (c *class[T]) push(j Job, v T) {
	l := c.lines[j.Line]
	if l == nil {
		c.forget()
		l = &line[T]{finish: c.now}
		c.lines[j.Line] = l
	}
	start := max(c.now, l.finish)
	l.finish = start + float64(j.Size)/j.Weight
	l.jobs = append(l.jobs, waiting[T]{Job: j, start: start, value: v})
	l.bytes += j.Size
	c.count, c.bytes = c.count+1, c.bytes+j.Size
}

// next is the line whose oldest job has the least start tag, of those that may
// fly.
func (c *class[T]) next(q *Queue[T]) (best *line[T]) {
	for _, l := range c.lines {
		if len(l.jobs) == 0 {
			continue
		}
		if (best == nil || l.jobs[0].start < best.jobs[0].start) && q.fits(c, &l.jobs[0].Job) {
			best = l
		}
	}
	return best
}

// take takes the oldest job of a line.
func (c *class[T]) take(l *line[T]) (v T, j Job) {
	first := l.jobs[0]
	c.now = max(c.now, first.start)
	c.pass += float64(first.Size) / c.weight
	c.remove(l, 0)
	return first.value, first.Job
}

// putOut takes the newest job of the line that has the most waiting for its
// weight.
func (c *class[T]) putOut() (v T) {
	var most *line[T]
	var greatest float64
	for _, l := range c.lines {
		if len(l.jobs) == 0 {
			continue
		}
		if share := float64(l.bytes+len(l.jobs)) / l.jobs[0].Weight; most == nil || share > greatest {
			most, greatest = l, share
		}
	}
	last := len(most.jobs) - 1
	out := most.jobs[last]
	most.finish = out.start
	c.remove(most, last)
	return out.value
}

func (c *class[T]) remove(l *line[T], i int) {
	j := l.jobs[i].Job
	copy(l.jobs[i:], l.jobs[i+1:])
	l.jobs[len(l.jobs)-1] = waiting[T]{}
	l.jobs = l.jobs[:len(l.jobs)-1]
	l.bytes -= j.Size
	c.count, c.bytes = c.count-1, c.bytes-j.Size
	if c.count == 0 { // no contention: nobody owes anything
		clear(c.lines)
	}
}

// forget drops the lines that virtual time has passed, and if they are too many
// any that are empty.
func (c *class[T]) forget() {
	if len(c.lines) < 2*c.waiting {
		return
	}
	for pass := range 2 {
		for k, l := range c.lines {
			if len(l.jobs) == 0 && (pass == 1 || l.finish <= c.now) {
				delete(c.lines, k)
			}
		}
		if len(c.lines) < 2*c.waiting {
			return
		}
	}
}

func (c *class[T]) sweep(before time.Time, out []T) []T {
	for _, l := range c.lines {
		for len(l.jobs) > 0 && l.jobs[0].At.Before(before) {
			out = append(out, l.jobs[0].value)
			c.remove(l, 0)
		}
	}
	return out
}
