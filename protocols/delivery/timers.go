package delivery

import (
	"container/heap"
	"time"
)

// timer is one thing to do at a time. It lives in at most one heap; index is
// its place there plus one, zero while it is not armed.
type timer struct {
	at    time.Time
	fire  func(now time.Time)
	index int
}

// timers is a heap of armed timers, the earliest first.
type timers struct{ heap timerHeap }

// arm sets t to fire at the given time, also if it was armed before.
func (ts *timers) arm(t *timer, at time.Time) {
	t.at = at
	if t.index > 0 {
		heap.Fix(&ts.heap, t.index-1)
		return
	}
	heap.Push(&ts.heap, t)
}

// stop disarms t; a timer that is not armed is left alone.
func (ts *timers) stop(t *timer) {
	if t.index > 0 {
		heap.Remove(&ts.heap, t.index-1)
	}
}

// next is when the earliest timer fires, zero if none is armed.
func (ts *timers) next() time.Time {
	if len(ts.heap) == 0 {
		return time.Time{}
	}
	return ts.heap[0].at
}

// run fires all that is due, in order of time.
func (ts *timers) run(now time.Time) {
	for len(ts.heap) > 0 && !ts.heap[0].at.After(now) {
		t := heap.Pop(&ts.heap).(*timer)
		t.fire(now)
	}
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.index = len(*h)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = 0
	return t
}
