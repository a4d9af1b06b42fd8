package storm

import (
	"container/heap"
	"time"
)

// Start is when every world begins.
var Start = time.UnixMilli(1_790_000_000_000)

// clock is virtual time, and what is to happen in it.
type clock struct {
	now    time.Time
	events events
	count  uint64
}

type event struct {
	at    time.Time
	order uint64
	run   func()
}

// after has run called in d, after all that is to happen earlier or was put
// there before.
func (c *clock) after(d time.Duration, run func()) {
	c.count++
	heap.Push(&c.events, &event{c.now.Add(d), c.count, run})
}

// step lets the next event happen; false: nothing is to happen before until.
func (c *clock) step(until time.Time) bool {
	if len(c.events) == 0 || c.events[0].at.After(until) {
		c.now = until
		return false
	}
	e := heap.Pop(&c.events).(*event)
	c.now = e.at
	e.run()
	return true
}

type events []*event

func (h events) Len() int      { return len(h) }
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h events) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h *events) Push(x any) { *h = append(*h, x.(*event)) }

func (h *events) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
