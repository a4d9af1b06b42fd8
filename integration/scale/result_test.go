package scale

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// spent is what a node has cost, on average.
type spent struct {
	presence float64 // bytes of gossip, sent and received; or a second
	dials    float64 // addresses dialled; or a minute
}

// since is what was spent since before, by the time that took.
func (s spent) since(before spent, took time.Duration) spent {
	return spent{(s.presence - before.presence) / took.Seconds(), (s.dials - before.dials) / took.Minutes()}
}

// result is how a town of so many nodes fared.
type result struct {
	nodes       int
	lived       time.Duration
	spent       spent // in the second half of its life
	memory      int   // bytes a node, at the end
	peers       int   // of a node, on average
	early, late []time.Duration
}

// table is a result for readers.
func (r result) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "nodes\tlived\tMB a node\tpeers\tpresence B/s\tdials/min\tfirst delivery p50\tp95\tlongest\tat the end p50\tp95\tlongest\t\n")
	fmt.Fprintf(w, "%d\t%v\t%.2f\t%d\t%.1f\t%.2f\t", r.nodes, r.lived, float64(r.memory)/(1<<20), r.peers, r.spent.presence, r.spent.dials)
	for _, took := range [][]time.Duration{r.early, r.late} {
		for _, share := range []int{50, 95, 100} {
			fmt.Fprintf(w, "%v\t", percentile(took, share))
		}
	}
	fmt.Fprintln(w)
	w.Flush()
	return b.String()
}

// percentile is what a share of all, which are sorted, keep below.
func percentile(sorted []time.Duration, share int) time.Duration {
	return sorted[min(len(sorted)*share/100, len(sorted)-1)]
}

// judge holds a result against what was promised.
func (r result) judge(t *testing.T) {
	if r.memory > memoryLimit {
		t.Errorf("%d bytes a node, want at most %d", r.memory, memoryLimit)
	}
	if r.spent.dials > dialLimit {
		t.Errorf("%.1f dials a node and minute while nothing happens, want at most %d", r.spent.dials, dialLimit)
	}
	for _, took := range [][]time.Duration{r.early, r.late} {
		if p95 := percentile(took, 95); p95 > firstLimit {
			t.Errorf("first delivery within %v for 95 of 100, want %v", p95, firstLimit)
		}
	}
}
