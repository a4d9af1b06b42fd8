package member

import "time"

// Repeat is what is done again and again, less and less often: the second time First
// after the first, and then after twice as long each time, up to Last.
type Repeat struct {
	First, Last time.Duration

	due   time.Time // zero: not at all
	pause time.Duration
}

// Begin lets it be done from a time on.
func (r *Repeat) Begin(at time.Time) {
	if r.due.IsZero() || at.Before(r.due) {
		r.due = at
	}
	r.pause = r.First
}

// Turn says whether it is due, and puts it off.
func (r *Repeat) Turn(now time.Time) bool {
	if r.due.IsZero() || now.Before(r.due) {
		return false
	}
	r.due = now.Add(r.pause)
	r.pause = min(2*r.pause, r.Last)
	return true
}

// End lets it be done no more.
func (r *Repeat) End() { r.due = time.Time{} }
