package stress

import (
	"os"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/integration/proc/proctest"
)

// long is two minutes in CI, and otherwise as short as shows anything.
func long() string {
	if os.Getenv("CI") == "true" {
		return "2m"
	}
	return "20s"
}

// The short form of a night: a message every tenth of a second, and each side is
// killed every five.
func TestEnduranceInShort(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	o := play(t, m, "unused", "endurance", "--duration", long(), "--rate", "10", "--kill-every", "5s", "--away", "2100ms")
	o.wantPass(t, "endurance")
	p := o.phases["endurance"]
	p.wantFigures(t)
	kills := 0
	for _, e := range p.Events {
		if strings.Contains(e.What, "SIGKILL") {
			kills++
		}
	}
	if kills < 6 || p.Counts.Accepted < 100 || len(p.Daemons) != 2 {
		t.Errorf("%d kills, %+v, %d daemons", kills, p.Counts, len(p.Daemons))
	}
	for _, d := range p.Daemons {
		if d.Lives < 3 || d.PeakMB < 10 || d.CPU <= 0 {
			t.Errorf("%s lived %d times, took %.0f MB and %.2f s of CPU", d.Name, d.Lives, d.PeakMB, d.CPU)
		}
	}
	if len(p.Gaps) == 0 {
		t.Error("each is away for three seconds, and there is no gap")
	}
	for _, g := range p.Gaps {
		if g.Long <= p.GapsOver || g.From.Before(p.Began) {
			t.Errorf("%+v", g)
		}
	}
	t.Logf("%d messages, %d kills, %d gaps", p.Counts.Accepted, kills, len(p.Gaps))
}
