package links

import (
	"container/heap"
	"context"
	"time"
)

// task is something to be looked at, at a time. Links.mu guards it.
type task struct {
	at    time.Time
	index int // in the agenda, from 1; 0: not there
	// run is called with Links.mu held; what it returns is done without it.
	run func(now time.Time) (then func())
}

// agenda is the tasks of all connections and peers, soonest first: one
// goroutine and one timer for all.
type agenda []*task

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i+1, j+1
}

func (a *agenda) Push(x any) {
	t := x.(*task)
	*a = append(*a, t)
	t.index = len(*a)
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	t := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	t.index = 0
	return t
}

// plan has t run at a time instead of whenever it was planned for; a zero time
// cancels it. l.mu is held.
func (l *Links) plan(t *task, at time.Time) {
	switch {
	case at.IsZero() && t.index > 0:
		heap.Remove(&l.agenda, t.index-1)
	case at.IsZero():
	case t.index > 0:
		t.at = at
		heap.Fix(&l.agenda, t.index-1)
	default:
		t.at = at
		heap.Push(&l.agenda, t)
	}
	if t.index == 1 { // it is the first now
		select {
		case l.sooner <- struct{}{}:
		default:
		}
	}
}

// advance has t run at a time if it is not planned for earlier. l.mu is held.
func (l *Links) advance(t *task, at time.Time) {
	if t.index == 0 || at.Before(t.at) {
		l.plan(t, at)
	}
}

// work runs tasks when they are due, until ctx ends.
func (l *Links) keepAgenda(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.runDue(time.Now()))
		select {
		case <-ctx.Done():
			return
		case <-l.sooner:
		case <-timer.C:
		}
	}
}

// runDue runs what is due and returns the wait for what comes next.
func (l *Links) runDue(now time.Time) time.Duration {
	var thens []func()
	l.mu.Lock()
	for len(l.agenda) > 0 && !l.agenda[0].at.After(now) {
		t := heap.Pop(&l.agenda).(*task)
		if then := t.run(now); then != nil {
			thens = append(thens, then)
		}
	}
	wait := time.Hour
	if len(l.agenda) > 0 {
		wait = l.agenda[0].at.Sub(now)
	}
	l.mu.Unlock()
	for _, then := range thens {
		then()
	}
	return wait
}
