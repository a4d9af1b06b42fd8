package stress

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// outcome is what a run has printed.
type outcome struct {
	proc.Result
	phases map[string]phase
	pass   bool
	failed []string
	notRun []string
	events []string
}

// phase is what it says of one.
type phase struct {
	verdict.Result
	Daemons []fleet.Usage `json:"daemons"`
}

// patience is how long a run may take: those that last two minutes settle then.
const patience = 4 * time.Minute

// play runs tomd stress for the daemon of that name, and reads what it prints.
func play(t *testing.T, m *proctest.Machine, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := m.Run(ctx, name, "", append([]string{"stress"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	o, err := read(r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// read reads lines of JSON until the one that says that all is told.
func read(r proc.Result) (outcome, error) {
	o := outcome{Result: r, phases: map[string]phase{}}
	lines := bufio.NewScanner(strings.NewReader(r.Out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l struct {
			Type, What string
			Pass       bool
			Failed     []string
			NotRun     []string `json:"not_run"`
		}
		var p phase
		switch err := json.Unmarshal(lines.Bytes(), &l); {
		case err != nil:
			return o, fmt.Errorf("it prints %s: %w", lines.Bytes(), err)
		case l.Type == "event":
			o.events = append(o.events, l.What)
		case l.Type == "phase":
			if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
				return o, err
			}
			o.phases[p.Phase] = p
		case l.Type == "end":
			o.pass, o.failed, o.notRun = l.Pass, l.Failed, l.NotRun
			return o, nil
		}
	}
	return o, fmt.Errorf("it ends before it has told all: %s", r.Err)
}

// wantPass wants a run that has passed, in all it did.
func (o outcome) wantPass(t *testing.T, phases ...string) {
	t.Helper()
	if o.Code != 0 || !o.pass || len(o.failed) > 0 {
		t.Fatalf("it exits with %d, and has failed in %q: %s", o.Code, o.failed, o.Err)
	}
	for _, name := range phases {
		p, ok := o.phases[name]
		if !ok || !p.Pass || len(p.Criteria) < 10 {
			t.Errorf("%s: played %v, and passed %v with %d criteria", name, ok, p.Pass, len(p.Criteria))
		}
	}
}

// wantFigures wants a phase's figures to be the daemons' own.
func (p phase) wantFigures(t *testing.T) {
	t.Helper()
	if len(p.Figures) == 0 {
		t.Errorf("%s compares nothing", p.Phase)
	}
	for _, f := range p.Figures {
		if f.Ours == 0 || !f.Killed && f.Apart() > verdict.Tolerance {
			t.Errorf("%s: %+v", p.Phase, f)
		}
	}
}

// listen runs tomd stress listen for the daemon of that name, until the test
// ends, and returns once it listens.
func listen(t *testing.T, m *proctest.Machine, name string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := m.Command(ctx, name, "stress", "listen")
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // how it ended is told by who asked it
	})
	if line, err := bufio.NewReader(says).ReadString('\n'); err != nil || !strings.HasPrefix(line, "listening") {
		t.Fatalf("the listener says %q, %v", line, err)
	}
}
