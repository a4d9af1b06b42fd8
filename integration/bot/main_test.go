package bot

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// scene is some daemons on a machine of their own, and what a test is about.
type scene struct {
	*proctest.Machine
	ctx context.Context
}

func newScene(t *testing.T, limit time.Duration) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return &scene{proctest.New(t), ctx}
}

// report is a line of a bot's output.
type report struct {
	What, From, ID, Group, Answer, Reason string
}

// running is a tomd bot.
type running struct {
	s       *scene
	cmd     *exec.Cmd
	reports chan report // closed when it has ended
	errs    strings.Builder
}

// bot starts a bot, and waits until it is ready.
func (s *scene) bot(name string, args ...string) *running {
	s.T.Helper()
	r := &running{s: s, reports: make(chan report, 1<<12)}
	r.cmd = s.Command(s.ctx, name, append([]string{"--json", "bot"}, args...)...)
	r.cmd.Stderr = &r.errs
	out, err := r.cmd.StdoutPipe()
	s.Check(err)
	s.Check(r.cmd.Start())
	go func() {
		defer close(r.reports)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var line report
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				r.reports <- line
			}
		}
		_ = r.cmd.Wait()
	}()
	s.T.Cleanup(r.kill)
	return r
}

// kill ends it as a power cut would.
func (r *running) kill() {
	_ = r.cmd.Process.Kill() // gone already is as good
	for range r.reports {
	}
}

// until reads reports up to one of that kind.
func (r *running) until(what string) report {
	r.s.T.Helper()
	for {
		select {
		case line, ok := <-r.reports:
			if !ok {
				r.s.T.Fatalf("the bot has ended: %s", r.errs.String())
			}
			if line.What == what {
				return line
			}
		case <-r.s.ctx.Done():
			r.s.T.Fatalf("no %q came", what)
		}
	}
}

// send sends text without waiting for more than its acceptance.
func (s *scene) send(from *proc.Daemon, to, text string) string {
	s.T.Helper()
	a, err := from.Client.Send(s.ctx, localapi.Outgoing{To: to, Content: localapi.NewContent("", []byte(text))})
	s.Check(err)
	return a.ID
}

// inbox reads all that a daemon has received.
func (s *scene) inbox(d *proc.Daemon) (all []localapi.Received) {
	s.T.Helper()
	for page, err := range d.Client.Inbox(s.ctx, localapi.InboxQuery{}) {
		s.Check(err)
		all = append(all, page.Messages...)
	}
	return all
}

// await looks at the inbox at each event until it has n messages.
func (s *scene) await(d *proc.Daemon, n int) []localapi.Received {
	s.T.Helper()
	for e, err := range d.Client.Events(s.ctx, 0) {
		s.Check(err)
		if e.Kind != localapi.EventReceived {
			continue
		}
		if all := s.inbox(d); len(all) >= n {
			return all
		}
	}
	s.T.Fatalf("%s has not %d messages", d.Name, n)
	return nil
}
