//go:build unix

package bot

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sh(script string) Command { return Command{"/bin/sh", "-c", script} }

func TestCommandAnswersWithWhatItPrints(t *testing.T) {
	t.Parallel()
	out, err := sh(`printf '%s|%s|' "$TOM_NAME" "$TOM_GROUP"; cat`).run(t.Context(), time.Minute, []string{"TOM_NAME=$(id); x", "TOM_GROUP="}, []byte("it's `me`\x00"))
	if err != nil || string(out) != "$(id); x||it's `me`\x00" {
		t.Errorf("%q, %v", out, err)
	}
	big := strings.Repeat("x", 256<<10)
	if out, err := sh("wc -c | tr -d ' '").run(t.Context(), time.Minute, nil, []byte(big)); err != nil || strings.TrimSpace(string(out)) != "262144" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := sh("exit 0").run(t.Context(), time.Minute, nil, []byte(big)); err != nil || len(out) != 0 {
		t.Errorf("one that does not read: %q, %v", out, err)
	}
	if out, err := sh("head -c 65536 /dev/zero").run(t.Context(), time.Minute, nil, nil); err != nil || len(out) != maxOutput {
		t.Errorf("as much as may be: %d bytes, %v", len(out), err)
	}
}

func TestCommandThatGoesTooFarHasNoAnswer(t *testing.T) {
	t.Parallel()
	for script, says := range map[string]string{
		"head -c 65537 /dev/zero":       "more than 64 KiB",
		"cat /dev/zero":                 "more than 64 KiB",
		"echo hello; exec sleep 600":    "longer than 500ms",
		"echo hello; sleep 600 & wait":  "longer than 500ms",
		"echo fie >&2; echo no; exit 3": "exit status 3: fie",
		"kill -9 $$":                    "signal: killed",
	} {
		begun := time.Now()
		limit := time.Minute
		if strings.Contains(says, "500ms") {
			limit = 500 * time.Millisecond
		}
		out, err := sh(script).run(t.Context(), limit, nil, nil)
		var kept *errKept
		if !errors.As(err, &kept) || !strings.Contains(err.Error(), says) || out != nil {
			t.Errorf("%s: %q, %v; want %q", script, out, err, says)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s: gone only after %s", script, took)
		}
	}
}

// What a command leaves behind ends with it, also what has closed its pipes.
func TestCommandLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"holding its output": "(echo up >&3; exec sleep 600) & read -r _ <&4; echo done",
		"in the dark":        "(echo up >&3; exec sleep 600 >/dev/null 2>&1) & read -r _ <&4; echo done",
	} {
		dir := t.TempDir()
		up, down := filepath.Join(dir, "up"), filepath.Join(dir, "down")
		for _, fifo := range []string{up, down} {
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		alive := make(chan error, 1)
		go func() { // the leftover holds the other end of up: its end is the reader's
			alive <- func() error {
				r, err := os.Open(up)
				if err != nil {
					return err
				}
				defer r.Close()
				lines := bufio.NewReader(r)
				if _, err := lines.ReadString('\n'); err != nil {
					return err
				}
				w, err := os.OpenFile(down, os.O_WRONLY, 0)
				if err != nil {
					return err
				}
				defer w.Close()
				if _, err := io.WriteString(w, "go\n"); err != nil {
					return err
				}
				_, err = lines.ReadString('\n')
				return err
			}()
		}()
		out, err := sh("exec 3>"+up+" 4<>"+down+"; "+script).run(t.Context(), 20*time.Second, nil, nil)
		if err != nil || string(out) != "done\n" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
		if err := <-alive; !errors.Is(err, io.EOF) {
			t.Errorf("%s: the leftover's pipe says %v, want its end", name, err)
		}
	}
}

func TestCommandEndsWithTheBot(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := sh("sleep 600").run(ctx, time.Minute, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was told to stop", err)
	}
}

func TestProgramsAreLookedUp(t *testing.T) {
	t.Parallel()
	found, err := Command{"sh", "-c", "x y"}.LookUp()
	if err != nil || !filepath.IsAbs(found[0]) || found[2] != "x y" {
		t.Errorf("%q, %v", found, err)
	}
	for name, says := range map[string]string{"nonesuch-at-all": "there is no program", "sh -c x": "--exec sh -- -c x"} {
		if _, err := (Command{name}).LookUp(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}
