//go:build linux

package chat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// terminal is a tmux server of a test's own.
type terminal struct {
	t      *testing.T
	socket string
}

// newTerminal runs tmux in the foreground, so that it ends with the test however
// that ends.
func newTerminal(t *testing.T) *terminal {
	t.Helper()
	term := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	server := exec.Command("tmux", "-D", "-S", term.socket, "-f", "/dev/null")
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", term.socket, "kill-server").Run()
		_ = server.Process.Kill()
		_ = server.Wait() // killed or not, it has ended
	})
	_, err := proc.Until(t.Context(), patience, func() string {
		if _, err := os.Stat(term.socket); err != nil {
			return err.Error()
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return term
}

// patience is how long anything may take to be on the screen.
const patience = time.Minute

func (term *terminal) run(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// pane is a terminal of 80×24 in which a person's chat runs.
type pane struct {
	*terminal
	w    *world
	name string
}

// open runs tomd chat for a daemon, with all times shown as hh:mm.
func (w *world) open(name string, env []string, args ...string) *pane {
	w.T.Helper()
	p := &pane{w.tty, w, name}
	home := filepath.Dir(w.Data(name))
	line := append([]string{"env", "-u", "NO_COLOR", "XDG_RUNTIME_DIR=" + home, "HOME=" + home}, env...)
	line = append(line, w.Binary, "--data", w.Data(name), "chat", "--time", "hh:mm")
	shell := quoted(append(line, args...)) + "; echo exit $?; exec cat"
	w.tty.run("new-session", "-d", "-s", name, "-x", "80", "-y", "24", shell)
	return p
}

func quoted(words []string) string {
	for i, word := range words {
		words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}

// keys presses keys by their tmux names.
func (p *pane) keys(names ...string) {
	p.t.Helper()
	p.run(append([]string{"send-keys", "-t", p.name, "--"}, names...)...)
}

// types types a text, letter by letter.
func (p *pane) types(text string) {
	p.t.Helper()
	p.run("send-keys", "-t", p.name, "-l", "--", text)
}

// pastes pastes a text as a terminal does, in brackets.
func (p *pane) pastes(text string) {
	p.t.Helper()
	p.run("set-buffer", "-b", p.name, "--", text)
	p.run("paste-buffer", "-p", "-b", p.name, "-t", p.name)
}

// click presses and lets go the left button.
func (p *pane) click(x, y int) {
	p.t.Helper()
	p.types(fmt.Sprintf("\x1b[<0;%d;%dM", x+1, y+1))
	p.types(fmt.Sprintf("\x1b[<0;%d;%dm", x+1, y+1))
}

// screen is what is on the screen, without what differs from run to run: the
// ends of ids, and whether carol is online, whose end each notices in its time.
func (p *pane) screen() string {
	p.t.Helper()
	rows := strings.Split(strings.TrimRight(p.run("capture-pane", "-p", "-t", p.name), "\n"), "\n")
	for i := range rows {
		rows[i] = strings.TrimRight(ids.ReplaceAllString(rows[i], "12D3KooW…"), " ")
		rows[i] = strings.Replace(rows[i], "* carol", "  carol", 1)
	}
	return anyHub(strings.Join(rows, "\n") + "\n")
}

// anyHub takes out who of the two is hub once carol has gone: which of them was
// her shadow is nothing of the chat's.
func anyHub(screen string) string {
	screen = nextHub.ReplaceAllString(screen, " $1 NEXT")
	screen = newHub.ReplaceAllString(screen, "NEXT is hub")
	if !strings.Contains(screen, takesOver) {
		return screen
	}
	rows := slices.DeleteFunc(strings.SplitAfter(screen, "\n"), func(row string) bool { return strings.Contains(row, takesOver) })
	end := slices.IndexFunc(rows, func(row string) bool { return strings.Contains(row, "┴") })
	return strings.Join(slices.Insert(rows, end, "                    │\n"), "")
}

const takesOver = "this device takes over"

var (
	nextHub = regexp.MustCompile(`(?m) +(\d members, hub) (alice|bob)$`)
	newHub  = regexp.MustCompile(`(alice|bob) is hub`)
)

var ids = regexp.MustCompile(`12D3KooW[1-9A-HJ-NP-Za-km-z]+`)

// shows waits until all parts are on the screen.
func (p *pane) shows(parts ...string) {
	p.t.Helper()
	p.w.Until(patience, func() string {
		p.t.Helper()
		screen := p.screen()
		for _, part := range parts {
			if !strings.Contains(screen, part) {
				return fmt.Sprintf("%s's screen has no %q:\n%s", p.name, part, screen)
			}
		}
		return ""
	})
}

// golden waits until the screen is what a file holds; parts are what must be
// there before a file is rewritten.
func (p *pane) golden(name string, parts ...string) {
	p.t.Helper()
	p.shows(parts...)
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(p.settled()), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	p.w.Until(patience, func() string {
		p.t.Helper()
		if got := p.screen(); got != string(want) {
			return fmt.Sprintf("%s's screen is\n%s\nand not %s:\n%s\nif that is meant, run the test with -update", p.name, got, path, want)
		}
		return ""
	})
}

// settled is a screen that has not changed for a second.
func (p *pane) settled() (screen string) {
	p.t.Helper()
	since := time.Now()
	p.w.Until(patience, func() string {
		if now := p.screen(); now != screen {
			screen, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return "the screen does not come to rest"
		}
		return ""
	})
	return screen
}
