package lan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// daemon is a running tomd start at a desk, with all that it has in a directory
// of its own: it shares nothing with the others but the cable.
type daemon struct {
	t         *testing.T
	office    *office
	namespace string
	addr      string
	dir       string
	cmd       *exec.Cmd
	ready     time.Duration // from its start until its socket answered
	localapi.Identity
}

const tooLong = time.Minute // for anything at all

// start runs a daemon at a new desk and returns once its socket answers.
func (o *office) start(name, network string, args ...string) *daemon {
	o.t.Helper()
	dir, err := os.MkdirTemp("", "tom-") // short: a socket lies below it
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: o.t, office: o, dir: dir}
	d.namespace, d.addr = o.desk()
	binary, err := proc.Build(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	client, err := localapi.NewClient(d.data(), "")
	if err != nil {
		o.t.Fatal(err)
	}
	defer client.Close()

	all := append([]string{
		"netns", "exec", d.namespace, binary, "--data", d.data(),
		"start", "--json", "--no-portmap", "--name", name, "--network", network,
	}, args...)
	d.cmd = exec.Command("ip", all...)
	d.cmd.Env = d.env()
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs := new(bytes.Buffer)
	d.cmd.Stderr = errs
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	begun := time.Now()
	if err := d.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { d.end(errs) })
	if err := json.NewDecoder(out).Decode(&d.Identity); err != nil {
		o.t.Fatalf("start %s: %v", name, err)
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), tooLong)
	defer cancel()
	if id, err := client.Identity(ctx); err != nil || id.ID != d.ID {
		o.t.Fatalf("%s answers %v, %v", name, id, err)
	}
	d.ready = time.Since(begun)
	return d
}

// end stops the daemon, which must have had nothing to complain of.
func (d *daemon) end(errs *bytes.Buffer) {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Error(err)
	}
	late := time.AfterFunc(tooLong, func() { _ = d.cmd.Process.Kill() })
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil || errs.Len() > 0 {
		d.t.Errorf("the daemon in %s ended with %v and says %s", d.namespace, err, errs)
	}
}

func (d *daemon) data() string { return filepath.Join(d.dir, "data") }

// env has no folder in which daemons of one machine would meet.
func (d *daemon) env() []string {
	return []string{"XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run"), "HOME=" + d.dir, "PATH=" + os.Getenv("PATH")}
}

// run runs a command for the daemon, from outside its namespace.
func (d *daemon) run(args ...string) (out string, code int) {
	d.t.Helper()
	binary, err := proc.Build(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"--data", d.data(), "--json"}, args...)...)
	cmd.Env = d.env()
	var errs strings.Builder
	cmd.Stderr = &errs
	b, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	if code = cmd.ProcessState.ExitCode(); code != 0 && code != 1 { // 1: not delivered yet
		d.t.Fatalf("tomd %q exits with %d: %s", args, code, errs.String())
	}
	return string(b), code
}

// sent is what became of a message.
type sent struct {
	State   string `json:"state"`
	Path    string `json:"path"`
	Elapsed int    `json:"elapsed_ms"`
}

// sends sends a message to a daemon of which it is told the id alone, and
// returns how far it came within the time.
func (d *daemon) sends(to *daemon, within time.Duration) (end sent) {
	d.t.Helper()
	out, _ := d.run("send", "--timeout", within.String(), to.ID, "hello")
	if err := json.Unmarshal([]byte(out), &end); err != nil {
		d.t.Fatalf("send prints %q: %v", out, err)
	}
	return end
}

// knows says whether the other is a peer of this one, or was ever tried.
func (d *daemon) knows(other *daemon) bool {
	d.t.Helper()
	peers, _ := d.run("peers")
	return strings.Contains(peers, other.ID) || d.office.spokeTo(d.namespace, other.addr)
}
