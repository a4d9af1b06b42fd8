package report

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/hist"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func example() *Run {
	var h hist.Histogram
	for i := range 500 {
		h.Observe(time.Duration(i*i) * time.Microsecond)
	}
	r := &verdict.Result{
		Phase: "ping", About: "a message <script>", Began: begin, Took: 10 * time.Second,
		Counts: ledger.Counts{Accepted: 500, Delivered: 500, Received: 499, Lost: 1}, Latency: h.Summary(),
		Ways: map[string]int{"direct": 3, "relayed": 1}, Asked: 4, Arrivals: []int{1, 0, 5, 494},
		Steps:   []verdict.Step{{Name: "1024 bytes", Latency: h.Summary()}},
		Gaps:    []ledger.Gap{{From: begin.Add(2 * time.Second), Long: 3 * time.Second}},
		Events:  []verdict.Happening{{At: begin.Add(time.Second), What: "bob is killed (SIGKILL)"}},
		Figures: []verdict.Figure{{Name: "received", Ours: 499, Daemons: 500, Metric: "tom_received_total"}},
	}
	r.GapsOver = time.Second
	r.ExactlyOnce()
	r.Judge()
	samples := []fleet.Sample{{At: begin, MB: 40}, {At: begin.Add(5 * time.Second), MB: 90, CPU: 0.5}}
	return &Run{
		Began: begin, Took: 12 * time.Second, Machine: "plan9/mips", Seed: 7,
		Phases: []Phase{
			{r, []fleet.Usage{{Name: "alice", Lives: 2, PeakMB: 90, CPU: 1.5, Samples: samples}}},
			{Result: &verdict.Result{Phase: "roam", NotRun: "it ends and begins processes"}},
		},
	}
}

func TestAReportIsWholeAndNeedsNothingElse(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := example().Write(&out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{
		"ping", "FAIL", "lost", "499", "direct 75.0 %, relayed 25.0 %", "1024 bytes", "bob is killed (SIGKILL)",
		"tom_received_total", "0.20 %", "90 MB", "1.50 s", "seed 7", "plan9/mips", "it ends and begins processes",
		"&lt;script&gt;", "</html>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, never := range []string{"<script", "http:", "https:", "src=", "@import", "ZgotmplZ", "NaN", "Inf"} {
		if strings.Contains(page, never) {
			t.Errorf("it has %q", never)
		}
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := example().Write(&out); err != nil {
		t.Fatal(err)
	}
	plots := 0
	for rest := out.String(); ; plots++ {
		_, from, ok := strings.Cut(rest, "<svg")
		if !ok {
			break
		}
		svg, after, ok := strings.Cut(from, "</svg>")
		if !ok {
			t.Fatal("a plot does not end")
		}
		rest = after
		if err := xml.Unmarshal([]byte("<svg"+svg+"</svg>"), new(struct{})); err != nil {
			t.Errorf("plot %d: %v", plots, err)
		}
	}
	if plots != 6 {
		t.Errorf("%d plots", plots)
	}
}

func TestAnEmptyRunIsReportedToo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &Run{Phases: []Phase{{Result: &verdict.Result{Phase: "ping"}}}}
	if err := r.Write(&out); err != nil || strings.Contains(out.String(), "NaN") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestAnAxisEndsAtARoundNumber(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]float64{0: 1, 0.3: 1, 1: 1, 7.2: 8, 10: 10, 41: 50, 99: 100, 1234: 2000} {
		if got := round(x); got != want {
			t.Errorf("%v: %v, want %v", x, got, want)
		}
	}
}
