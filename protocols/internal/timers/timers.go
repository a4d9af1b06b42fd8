// Package timers keeps what a pure machine wants to do later: an ordered set of
// times, each with what is to happen then. Nothing in it looks at a clock.
package timers

import (
	"container/heap"
	"time"
)

// Timer is one thing to do at a time. The zero value is not armed; Fire must be
// set before it is. A Timer is armed in at most one Set and must not be copied.
type Timer struct {
	Fire func(now time.Time)

	at    time.Time
	order uint64 // of arming, so that equal times fire in that order
	index int    // place in the heap plus one; zero while not armed
}

// Armed says whether t waits to fire.
func (t *Timer) Armed() bool { return t.index > 0 }

// At returns when t fires, if it is armed.
func (t *Timer) At() time.Time { return t.at }

// Set is a number of armed timers. The zero value is empty.
type Set struct {
	heap  timerHeap
	armed uint64
}

// Arm sets t to fire at the given time, also if it was armed before.
func (s *Set) Arm(t *Timer, at time.Time) {
	s.armed++
	t.at, t.order = at, s.armed
	if t.Armed() {
		heap.Fix(&s.heap, t.index-1)
		return
	}
	heap.Push(&s.heap, t)
}

// Hasten makes t fire no later than at.
func (s *Set) Hasten(t *Timer, at time.Time) {
	if !t.Armed() || at.Before(t.at) {
		s.Arm(t, at)
	}
}

// Stop disarms t; a timer that is not armed is left alone.
func (s *Set) Stop(t *Timer) {
	if t.Armed() {
		heap.Remove(&s.heap, t.index-1)
	}
}

// Next is when the earliest timer fires, zero if none is armed.
func (s *Set) Next() time.Time {
	if len(s.heap) == 0 {
		return time.Time{}
	}
	return s.heap[0].at
}

// Run fires all that is due, in order of time, and of arming where that is
// equal. What a timer arms for now fires too.
func (s *Set) Run(now time.Time) {
	for len(s.heap) > 0 && !s.heap[0].at.After(now) {
		heap.Pop(&s.heap).(*Timer).Fire(now)
	}
}

type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
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
