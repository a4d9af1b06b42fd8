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

// median of what f says of the meetings; meetings of which it says 0 do not count.
func (r *row) median(f func(meeting) time.Duration) time.Duration {
	var all []time.Duration
	for _, m := range r.meetings {
		if d := f(m); d > 0 {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
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

// missed are the goals that the meetings so far do not meet.
func (r *row) missed() (goals []string) {
	switch {
	case r.relayed == "" && r.directs() < len(r.meetings):
		goals = append(goals, fmt.Sprintf("direct in %d of %d meetings only", r.directs(), len(r.meetings)))
	case r.relayed != "" && r.directs() > 0:
		goals = append(goals, "direct, which it cannot be: the router does not do what it should")
	}
	if d := r.median(move); d > moveGoal {
		goals = append(goals, fmt.Sprintf("direct %v after it was relayed", d))
	}
	if d := r.median(delivered); r.relayed != "" && d > relayedGoal {
		goals = append(goals, fmt.Sprintf("delivered %v after it was sent", d))
	}
	return goals
}

func (r *row) judge(t *testing.T) {
	t.Helper()
	for _, goal := range r.missed() {
		t.Errorf("%s: %s", r.name, goal)
	}
}

// table prints the rows, medians in ms.
func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pair\tready\tdirect\tfirst message\tdelivered\tto direct\tround trip\tover\twhy relayed")
	for _, r := range rows {
		if len(r.meetings) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.name, ms(r.median(ready)), r.directs(), len(r.meetings),
			r.values(func(m meeting) string { return m.path }), ms(r.median(delivered)), ms(r.median(move)),
			ms(r.median(before))+" → "+ms(r.median(after)), r.values(func(m meeting) string { return m.transport }), r.relayed)
	}
	_ = w.Flush()
	return b.String()
}

func ms(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
