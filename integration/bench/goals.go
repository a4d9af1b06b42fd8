package main

import (
	"fmt"
	"io"
	"math"
)

// goal is something this project has set out to reach.
type goal struct {
	text string
	// reached is asked for a value and whether it will do; ok is false if what
	// it needs was not measured.
	reached func(r report) (value string, met, ok bool)
}

var goals = []goal{
	{"at least 0.15 of plain frames", func(r report) (string, bool, bool) {
		tom, plain := r.Systems["tom"].PerSecond, r.Systems["plain"].PerSecond
		return fmt.Sprintf("%.3f", tom/plain), tom >= 0.15*plain, tom > 0 && plain > 0
	}},
	{"faster than JetStream with default sync, which does not sync", func(r report) (string, bool, bool) {
		tom, js := r.Systems["tom"].PerSecond, r.Systems["jetstream"].PerSecond
		return fmt.Sprintf("%.2f times", tom/js), tom > js, tom > 0 && js > 0
	}},
	{"at most 40 µs CPU a message", func(r report) (string, bool, bool) {
		cpu := r.Systems["tom"].CPUMicros
		return fmt.Sprintf("%.1f µs", cpu), cpu <= 40, cpu > 0
	}},
	{"a hub's CPU a delivery at most 2 times plain", worst(2, func(g gathering) float64 { return g.Tom.HubMicros / g.Plain.HubMicros })},
	{"one author in bursts at least 10 times gossipsub", best(10, func(g gathering) float64 { return g.Tom.Burst / g.Gossip.Burst })},
	{"all members writing singly at least 2 times gossipsub", best(2, func(g gathering) float64 { return g.Tom.Chatter / g.Gossip.Chatter })},
	{"one message to 200 members, until all have acknowledged it, at most 3 times plain", worst(3, func(g gathering) float64 {
		if g.Members != 200 {
			return 0
		}
		return g.Tom.AllMS / g.Plain.AllMS
	})},
	{"idle under 45 MB", less("%.1f MB", 45, func(f footprint) float64 { return f.IdleMB })},
	{"listening within 150 ms", less("%.0f ms", 150, func(f footprint) float64 { return f.StartMS })},
	{"an idle peer under 220 KB, discovery on", less("%.0f KB", 220, func(f footprint) float64 { return f.PeerKB })},
	{"binary under 48 MB", less("%.1f MB", 48, func(f footprint) float64 { return f.BinaryMB })},
}

func less(format string, limit float64, of func(footprint) float64) func(report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		if r.Small == nil {
			return "", false, false
		}
		v := of(*r.Small)
		return fmt.Sprintf(format, v), v < limit, v > 0
	}
}

// worst wants a figure of every group to be at most so much; one that is 0 was not
// measured.
func worst(limit float64, of func(gathering) float64) func(report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		most := 0.0
		for _, g := range r.Groups {
			most = max(most, of(g))
		}
		return fmt.Sprintf("%.2f times", most), most <= limit, most > 0
	}
}

// best wants it to be at least so much.
func best(limit float64, of func(gathering) float64) func(report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		least := math.Inf(1)
		for _, g := range r.Groups {
			least = min(least, of(g))
		}
		return fmt.Sprintf("%.2f times", least), least >= limit, len(r.Groups) > 0
	}
}

func (r report) printGoals(w io.Writer) {
	fmt.Fprintln(w, "\ngoals")
	for _, g := range goals {
		value, met, ok := g.reached(r)
		if !ok {
			continue
		}
		word := "missed"
		if met {
			word = "met"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", g.text, word, value)
	}
}
