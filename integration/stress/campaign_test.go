package stress

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/integration/proc/proctest"
)

var phases = []string{"ping", "burst", "ladder", "fanout", "e2e", "group", "backup", "failover", "roam", "chaos", "endurance"}

// undisturbed are the phases that kill nobody, so that no counts are lost.
var undisturbed = []string{"ping", "burst", "ladder", "fanout", "e2e", "group"}

func TestACampaignPassesAndIsReported(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	file := filepath.Join(t.TempDir(), "report.html")
	o := play(t, m, "unused", "campaign", "--duration", "30s", "--report", file)
	o.wantPass(t, phases...)
	for _, name := range undisturbed {
		p := o.phases[name]
		p.wantFigures(t)
		for _, f := range p.Figures {
			if f.Killed {
				t.Errorf("%s: somebody was killed", name)
			}
		}
	}
	for _, name := range phases {
		o.phases[name].wantWhole(t)
	}
	if b := o.phases["backup"]; b.Ways["holder"] == 0 || b.Counts.Stored == 0 {
		t.Errorf("of what others kept came %v", b.Ways)
	}
	if s := o.phases["ladder"].Steps; len(s) < 8 || s[0].Name != "1024 bytes" {
		t.Errorf("the ladder has %d rungs", len(s))
	}
	wantReport(t, file)
}

// wantWhole wants everything that is told of a phase to be there, and to fit
// together.
func (p phase) wantWhole(t *testing.T) {
	t.Helper()
	c, l := p.Counts, p.Latency
	if c.Accepted == 0 || c.Delivered != c.Accepted || c.Received != c.Accepted+c.Anyway || c.Lost+c.Twice+c.Untrue+c.Unsigned != 0 {
		t.Errorf("%s counts %+v", p.Phase, c)
	}
	if int(l.Count) != c.Delivered || l.Min <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P999 > l.Max || len(l.Bars) == 0 {
		t.Errorf("%s: of %d receipts times are %+v", p.Phase, c.Delivered, l)
	}
	if len(p.Daemons) < 2 || p.Took <= 0 || p.Sending <= 0 {
		t.Errorf("%s took %v with %d daemons", p.Phase, p.Took, len(p.Daemons))
	}
	arrived := 0
	for _, n := range p.Arrivals {
		arrived += n
	}
	if arrived != c.Received {
		t.Errorf("%s: %d of %d arrivals are in the plot", p.Phase, arrived, c.Received)
	}
	for _, d := range p.Daemons {
		if d.Lives == 0 || d.PeakMB < 10 || len(d.Samples) == 0 {
			t.Errorf("%s: of %s is known that it lived %d times, and took %.0f MB", p.Phase, d.Name, d.Lives, d.PeakMB)
		}
	}
}

func wantReport(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, name := range phases {
		if !strings.Contains(page, `<h2 id="`+name+`">`) {
			t.Errorf("the report says nothing of %s", name)
		}
	}
	if plots := strings.Count(page, "<svg"); plots != 2+4*len(phases) {
		t.Errorf("the report has %d plots", plots)
	}
	if strings.Contains(page, "http") || strings.Contains(page, "FAIL\"") || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
		t.Error("the report needs something from elsewhere, tells of a failure, or does not end")
	}
}
