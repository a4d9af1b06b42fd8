package stress

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/report"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// output tells programs and people what happens: lines of JSON to one writer,
// text to the other.
type output struct {
	mu       sync.Mutex
	out, err io.Writer
}

// The lines for programs, told apart by their type.
type (
	eventLine struct {
		Type  string    `json:"type"` // event
		Phase string    `json:"phase"`
		At    time.Time `json:"at"`
		What  string    `json:"what"`
	}
	phaseLine struct {
		Type string `json:"type"` // phase
		*verdict.Result
		Daemons []fleet.Usage `json:"daemons"`
	}
	endLine struct {
		Type   string   `json:"type"` // end
		Pass   bool     `json:"pass"`
		Failed []string `json:"failed"`
		NotRun []string `json:"not_run"`
		Seed   uint64   `json:"seed"`
		TookMS int64    `json:"took_ms"`
	}
)

func (o *output) program(v any) {
	enc := json.NewEncoder(o.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a reader that has gone has nobody to be told
}

func (o *output) happened(phase string, h verdict.Happening, begin time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.program(eventLine{"event", phase, h.At, h.What})
	fmt.Fprintf(o.err, "  %7.2f s  %s\n", h.At.Sub(begin).Seconds(), h.What)
}

// begins heads what a phase says.
func (o *output) begins(p phase, budget time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.err, "%s, %v: %s\n", p.name, budget.Round(100*time.Millisecond), p.about)
}

// ended tells what a phase has shown.
func (o *output) ended(r report.Phase) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.program(phaseLine{"phase", r.Result, r.Daemons})
	for _, c := range r.Criteria {
		if !c.Pass {
			fmt.Fprintf(o.err, "  FAILED: %s: %s, wanted %s\n", c.Name, c.Got, c.Want)
		}
	}
	writeGaps(o.err, r.Result)
	for _, note := range r.Notes {
		fmt.Fprintf(o.err, "  %s\n", note)
	}
	if r.NotRun != "" {
		fmt.Fprintf(o.err, "  not run: %s\n", r.NotRun)
	}
}

func writeGaps(w io.Writer, r *verdict.Result) {
	if r.GapsOver == 0 {
		return
	}
	fmt.Fprintf(w, "  gaps of more than %v: %d\n", r.GapsOver, len(r.Gaps))
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "    from %.2f s, %.2f s long\n", g.From.Sub(r.Began).Seconds(), g.Long.Seconds())
	}
}

// end tells of all phases at once.
func (o *output) end(played []report.Phase, seed uint64, took time.Duration) (pass bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := endLine{Type: "end", Failed: []string{}, NotRun: []string{}, Seed: seed, TookMS: took.Milliseconds()}
	for _, r := range played {
		switch {
		case r.NotRun != "":
			last.NotRun = append(last.NotRun, r.Phase)
		case !r.Pass:
			last.Failed = append(last.Failed, r.Phase)
		}
	}
	last.Pass = len(last.Failed) == 0 && len(last.NotRun) < len(played)
	o.program(last)
	fmt.Fprintln(o.err)
	table(o.err, played)
	return last.Pass
}

func table(out io.Writer, played []report.Phase) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PHASE\t\tSECONDS\tACCEPTED\tDELIVERED\tRECEIVED\tLOST\tTWICE\tA SECOND\tP50\tP99\tMAX\tHOW")
	for _, r := range played {
		if r.NotRun != "" {
			fmt.Fprintf(w, "%s\tnot run\t\t\t\t\t\t\t\t\t\t\t%s\n", r.Phase, r.NotRun)
			continue
		}
		c, l := r.Counts, r.Latency
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%d\t%d\t%d\t%d\t%d\t%.0f\t%s\t%s\t%s\t%s\n",
			r.Phase, passed(r.Pass), r.Took.Seconds(), c.Accepted, c.Delivered, c.Received, c.Lost, c.Twice,
			r.Rate, millis(l.P50), millis(l.P99), millis(l.Max), shares(r.Result))
	}
	_ = w.Flush()
}

func passed(ok bool) string {
	if ok {
		return "pass"
	}
	return "FAIL"
}

// millis is a time in milliseconds, for people.
func millis(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f ms", ms)
	}
}

// shares says which part went which way.
func shares(r *verdict.Result) string {
	var parts []string
	for _, way := range slices.Sorted(maps.Keys(r.Ways)) {
		parts = append(parts, fmt.Sprintf("%s %.0f %%", way, 100*float64(r.Ways[way])/float64(r.Asked)))
	}
	if n := r.Counts.Stored; n > 0 {
		parts = append(parts, fmt.Sprintf("kept by others %.0f %%", 100*float64(n)/float64(max(1, r.Counts.Accepted))))
	}
	return strings.Join(parts, ", ")
}
