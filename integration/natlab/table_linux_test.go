package natlab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// row is what came of a pair's meetings.
type row struct {
	pair
	meetings []meeting
}

func (r *row) add(m meeting) { r.meetings = append(r.meetings, m) }

// median of what f says of the meetings, as far as it says anything; the mean of
// the two in the middle if their number is even.
func (r *row) median(f func(meeting) time.Duration) time.Duration {
	all := r.sorted(f)
	all = slices.DeleteFunc(all, func(d time.Duration) bool { return d == 0 })
	return middle(all)
}

func (r *row) sorted(f func(meeting) time.Duration) (all []time.Duration) {
	for _, m := range r.meetings {
		all = append(all, f(m))
	}
	slices.Sort(all)
	return all
}

func middle(sorted []time.Duration) time.Duration {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *row) worst(f func(meeting) time.Duration) time.Duration {
	return slices.Max(r.sorted(f))
}

func (r *row) count(f func(meeting) bool) (n int) {
	for _, m := range r.meetings {
		if f(m) {
			n++
		}
	}
	return n
}

func isDirect(m meeting) bool           { return m.direct }
func ready(m meeting) time.Duration     { return m.ready }
func delivered(m meeting) time.Duration { return m.delivered }
func move(m meeting) time.Duration      { return m.move }
func before(m meeting) time.Duration    { return m.before }
func after(m meeting) time.Duration     { return m.after }
func (r *row) directs() int             { return r.count(isDirect) }
func (r *row) values(f func(meeting) string) string {
	set := map[string]bool{}
	for _, m := range r.meetings {
		if v := f(m); v != "" {
			set[v] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(set)), "/")
}

// wrong is what no meeting may show, however it went with the others.
func (r *row) wrong() (goals []string) {
	switch {
	case r.relayed == "" && r.directs() < len(r.meetings):
		goals = append(goals, fmt.Sprintf("direct in %d of %d meetings only", r.directs(), len(r.meetings)))
	case r.relayed != "" && r.directs() > 0:
		goals = append(goals, "direct, which it cannot be: the router does not do what it should")
	}
	return goals
}

// slow says that the median of all meetings is above the goal. Who was direct from
// the start has moved in no time.
func (r *row) slow() (goals []string) {
	of, goal, what := r.timed()
	if d := middle(r.sorted(of)); d > goal {
		goals = append(goals, fmt.Sprintf("%s: %v, the median of %d meetings", what, d, len(r.meetings)))
	}
	return goals
}

// timed is what a pair is judged by: the time until it is direct, or how long a
// message takes where it stays relayed.
func (p pair) timed() (of func(meeting) time.Duration, goal time.Duration, what string) {
	if p.relayed != "" {
		return delivered, relayedGoal, "from send to delivered"
	}
	return move, moveGoal, "from relayed to direct"
}

// open says that the pair has to meet again: that the median so far is above the
// goal, and may come down.
//
// The goals are medians, and one meeting is none. But what makes a pair slow makes
// it slow nearly each time: with libp2p's defaults a punch takes 5.4 s, always. So
// a pair whose first meeting is quick is taken to be quick. One whose first is not,
// be it because the machine stood still, meets until the median of all is within
// the goal; or until four were slow, after which no median of seven can be. Of
// pairs that are slow every tenth time this fails 1 in 900, of those that are slow
// every second time 1 in 4; and there are two dozen pairs.
func (r *row) open() bool {
	of, goal, _ := r.timed()
	late := r.count(func(m meeting) bool { return of(m) > goal })
	return len(r.slow()) > 0 && len(r.wrong()) == 0 && late <= most/2 && len(r.meetings) < most
}

// most is how many meetings there are if some are slow, unless more were asked for.
const most = 7

func (r *row) judge(t *testing.T) {
	t.Helper()
	for _, goal := range append(r.wrong(), r.slow()...) {
		t.Errorf("%s: %s", r.name, goal)
	}
}

// table prints the rows, medians in ms, and the worst in brackets.
func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pair\tready\tdirect\tfirst message\tdelivered\tto direct\tround trip\tover\twhy relayed")
	for _, r := range rows {
		if len(r.meetings) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.name, ms(r.median(ready)), r.directs(), len(r.meetings),
			r.values(func(m meeting) string { return m.path }), r.times(delivered), r.times(move),
			ms(r.median(before))+" → "+ms(r.median(after)), r.values(func(m meeting) string { return m.transport }), r.relayed)
	}
	_ = w.Flush()
	return b.String()
}

func (r *row) times(f func(meeting) time.Duration) string {
	text := ms(r.median(f))
	if len(r.meetings) > 1 {
		text += fmt.Sprintf(" (%s)", ms(r.worst(f)))
	}
	return text
}

func ms(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
