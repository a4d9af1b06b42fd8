// Package report writes what a run has shown as one HTML file that needs no other:
// no script, no style sheet, no picture from elsewhere.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// Run is what is reported.
type Run struct {
	Pass    bool
	Began   time.Time
	Took    time.Duration
	Machine string // system, architecture, processors
	Seed    uint64
	Phases  []Phase
}

// Phase is a phase, and what its daemons took of the machine.
type Phase struct {
	*verdict.Result
	Daemons []fleet.Usage
}

//go:embed page.html
var text string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"seconds": func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
	"millis":  millis,
	"share":   func(n, of int) string { return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(max(1, of))) },
	"passed":  passed,
	"since":   func(at, begin time.Time) string { return fmt.Sprintf("%.2f s", at.Sub(begin).Seconds()) },
	"apart":   func(f verdict.Figure) string { return fmt.Sprintf("%.2f %%", 100*f.Apart()) },
	"ways":    ways,
}).Parse(text))

// Write writes the report.
func (r *Run) Write(w io.Writer) error { return page.Execute(w, r) }

func passed(ok bool) string {
	if ok {
		return "pass"
	}
	return "FAIL"
}

func millis(ms float64) string {
	if ms >= 10_000 {
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.2f ms", ms)
}

func ways(r *verdict.Result) string {
	var parts []string
	for _, way := range slices.Sorted(maps.Keys(r.Ways)) {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", way, 100*float64(r.Ways[way])/float64(max(1, r.Asked))))
	}
	return strings.Join(parts, ", ")
}

// Memory draws the resident memory of all daemons over the whole run.
func (r *Run) Memory() Plot { return r.overall("MB", func(s *fleet.Sample) float64 { return s.MB }) }

// CPU draws the share of a core that each daemon takes, over the whole run.
func (r *Run) CPU() Plot {
	return r.overall("% of a core", func(s *fleet.Sample) float64 { return 100 * s.CPU })
}

func (r *Run) overall(unit string, value func(*fleet.Sample) float64) Plot {
	p := plotter{unit: unit, begin: r.Began, end: r.Began.Add(r.Took)}
	for _, phase := range r.Phases {
		p.band(phase.Phase, phase.Began, phase.Began.Add(phase.Took))
		for i := range phase.Daemons {
			p.line("", phase.Daemons[i].Samples, value)
		}
	}
	return p.plot()
}

// Memory draws the resident memory of the phase's daemons.
func (p Phase) Memory() Plot {
	return p.usage("MB", func(s *fleet.Sample) float64 { return s.MB })
}

// CPU draws the share of a core that each of them takes.
func (p Phase) CPU() Plot {
	return p.usage("% of a core", func(s *fleet.Sample) float64 { return 100 * s.CPU })
}

func (p Phase) usage(unit string, value func(*fleet.Sample) float64) Plot {
	plot := plotter{unit: unit, begin: p.Began, end: p.Began.Add(p.Took)}
	for i := range p.Daemons {
		plot.line(p.Daemons[i].Name, p.Daemons[i].Samples, value)
	}
	return plot.plot()
}
