//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var binary string // tomd, built once

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tomd")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "tomd")
	out, err := exec.Command("go", "build", "-o", binary, "../../cmd/tomd").CombinedOutput()
	if err != nil {
		fmt.Printf("build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// machine is where some daemons live: a directory for their data, and an
// environment of their own, so that those of other tests are not found.
type machine struct{ dir string }

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "tom") // short: sockets lie below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &machine{dir}
}

func (m *machine) data(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, append(args[:len(args):len(args)], "--data", m.data(name))...)
	if i := lastDashes(args); i >= 0 { // --data must stand before --
		cmd.Args = append([]string{binary, "--data", m.data(name)}, args...)
	}
	cmd.Env = []string{"XDG_RUNTIME_DIR=" + m.dir, "HOME=" + m.dir, "PATH=" + os.Getenv("PATH")}
	return cmd
}

func lastDashes(args []string) int {
	for i, arg := range args {
		if arg == "--" {
			return i
		}
	}
	return -1
}

// daemon is a running tomd start.
type daemon struct {
	t      *testing.T
	on     *machine
	name   string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	id     string
	link   string
	ended  bool
}

// start runs a daemon and returns once it listens.
func (m *machine) start(t *testing.T, name string, args ...string) *daemon {
	t.Helper()
	args = append([]string{"start", "--local", "--json", "--name", name}, args...)
	d := &daemon{t: t, on: m, name: name, cmd: m.command(context.Background(), name, args...)}
	d.cmd.Stderr = &d.stderr
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.end(syscall.SIGTERM) })
	var first struct{ ID, Link string }
	if err := json.NewDecoder(out).Decode(&first); err != nil {
		_ = d.cmd.Wait()
		d.ended = true
		t.Fatalf("start %s: %v; it says %s", name, err, d.stderr.String())
	}
	d.id, d.link = first.ID, first.Link
	return d
}

// end sends a signal and waits. But for SIGKILL a daemon ends with 0 and has
// had nothing to complain of.
func (d *daemon) end(sig syscall.Signal) {
	d.t.Helper()
	if d.ended {
		return
	}
	d.ended = true
	if err := d.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Error(err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = d.cmd.Process.Kill() })
	defer late.Stop()
	err := d.cmd.Wait()
	if sig != syscall.SIGKILL && (err != nil || d.stderr.Len() > 0) {
		d.t.Errorf("%s ended with %v and says %s", d.name, err, d.stderr.String())
	}
}

// result is what a command printed, and its exit code.
type result struct {
	out, err string
	code     int
}

// tomd runs a command for a data directory of the machine, to its end.
func (m *machine) tomd(t *testing.T, name, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := m.command(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// ok runs a command that must succeed in silence, and gives its output.
func (d *daemon) ok(args ...string) string {
	d.t.Helper()
	r := d.on.tomd(d.t, d.name, "", args...)
	if r.code != 0 || r.err != "" {
		d.t.Fatalf("tomd %q of %s: %+v", args, d.name, r)
	}
	return r.out
}

// object runs a command that prints one JSON object.
func (d *daemon) object(args ...string) map[string]any {
	d.t.Helper()
	return parse(d.t, d.ok(append([]string{"--json"}, args...)...))
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q is not one object: %v", text, err)
	}
	return v
}

// keys are those of a JSON object in the order they stand in.
func keys(t *testing.T, text string) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	var found []string
	depth := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(found, " ")
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		switch delim, ok := token.(json.Delim); {
		case ok && (delim == '{' || delim == '['):
			depth++
		case ok:
			depth--
		case depth == 1:
			found = append(found, token.(string))
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
}

// running is a command that has not ended.
type running struct {
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func (d *daemon) run(args ...string) *running {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	d.t.Cleanup(cancel)
	r := &running{cmd: d.on.command(ctx, d.name, args...)}
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	r.lines = bufio.NewScanner(out)
	r.lines.Buffer(nil, 1<<20)
	return r
}

// line is the next line it prints.
func (r *running) line(t *testing.T) string {
	t.Helper()
	if !r.lines.Scan() {
		t.Fatalf("it ended: %v %s", r.lines.Err(), r.stderr.String())
	}
	return r.lines.Text()
}

// signal sends it one, and waits for its end.
func (r *running) signal(sig syscall.Signal) result {
	_ = r.cmd.Process.Signal(sig)
	return r.wait()
}

func (r *running) wait() result {
	var out strings.Builder
	for r.lines.Scan() {
		out.WriteString(r.lines.Text() + "\n")
	}
	_ = r.cmd.Wait()
	return result{out.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
}
