package ledger

import (
	"slices"
	"time"
)

// Gap is a time in which nothing arrived.
type Gap struct {
	From time.Time     `json:"from"`
	Long time.Duration `json:"long_ns"`
}

// came is when a message came to the other end, or, if that is elsewhere, its
// receipt here; zero if neither has.
func (e *entry) came() time.Time {
	if e.received.IsZero() {
		return e.signed
	}
	return e.received
}

// Gaps lists the times of more than longest in which nothing came to the other
// end, from the beginning of the run to its end.
func (l *Ledger) Gaps(begin, end time.Time, longest time.Duration) []Gap {
	var came []time.Time
	for _, e := range l.entries {
		if at := e.came(); !at.IsZero() {
			came = append(came, at)
		}
	}
	return gaps(came, begin, end, longest)
}

func gaps(came []time.Time, begin, end time.Time, longest time.Duration) (found []Gap) {
	slices.SortFunc(came, time.Time.Compare)
	last := begin
	for _, at := range append(came, end) {
		if at.Sub(last) > longest {
			found = append(found, Gap{From: last, Long: at.Sub(last)})
		}
		if at.After(last) {
			last = at
		}
	}
	return found
}

// Arrivals counts what arrived in each of the equal parts of a run, to be drawn.
func (l *Ledger) Arrivals(begin, end time.Time, parts int) []int {
	counts := make([]int, parts)
	whole := end.Sub(begin)
	if whole <= 0 {
		return counts
	}
	for _, e := range l.entries {
		at := e.came()
		if at.IsZero() {
			continue
		}
		i := int(float64(parts) * float64(at.Sub(begin)) / float64(whole))
		counts[min(max(0, i), parts-1)]++
	}
	return counts
}
