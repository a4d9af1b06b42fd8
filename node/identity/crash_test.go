package identity

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rewriterEnv makes this test binary a process that rewrites a vault until it
// is killed.
const rewriterEnv = "TOM_TEST_REWRITE_VAULT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(rewriterEnv); dir != "" {
		rewrite(dir)
	}
	os.Exit(m.Run())
}

// rewrite rewrites the vault in dir over and over, while it shreds a word for
// one time after another and prints each result: a promise that it can be read.
func rewrite(dir string) {
	me, err := Open(dir)
	if err != nil {
		panic(err)
	}
	v, err := OpenVault(filepath.Join(dir, VaultFile), me, func() time.Time { return noon })
	if err != nil {
		panic(err)
	}
	for m := 0; ; m = (m + shredBlock) % (23 * 60) {
		end := noon.Add(time.Duration(m) * time.Minute)
		b, err := v.Shred(end, []byte("word"))
		if err == nil {
			err = v.replace(v.held.clone())
		}
		if err != nil {
			panic(err)
		}
		fmt.Println(end.Unix(), hex.EncodeToString(b))
	}
}

func TestKilledRewriterLeavesAWholeVault(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	for lines := range 12 {
		last := runAndKill(t, d.dir, 1+7*lines)
		d.start() // fails on anything but a whole file
		var unix int64
		var text string
		if _, err := fmt.Sscan(last, &unix, &text); err != nil {
			t.Fatalf("%q: %v", last, err)
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.v.Unshred(time.Unix(unix, 0), b); err != nil || string(got) != "word" {
			t.Errorf("promised before the kill: %q, %v", got, err)
		}
		if _, err := os.Stat(beside(d.path)); err == nil {
			t.Error("the remains of the rewrite are still there")
		}
	}
}

// runAndKill runs a rewriter on dir, kills it after some lines and returns the
// last whole line that came.
func runAndKill(t *testing.T, dir string, lines int) (last string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), rewriterEnv+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	for range lines {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.Bytes())
		}
		last = line
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed: the error says so
	return strings.TrimSpace(last)
}

func TestHalfWrittenRewriteIsRemoved(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	e := d.receive([]byte("kept"))
	good, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n <= len(good); n += 37 {
		if err := os.WriteFile(beside(d.path), good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		d.start()
		if got, err := d.open(e); err != nil || string(got) != "kept" {
			t.Fatalf("%d bytes written: %q, %v", n, got, err)
		}
		if names := list(t, d.dir); len(names) != 2 {
			t.Fatalf("left behind: %v", names)
		}
	}
}

func FuzzVaultFile(f *testing.F) {
	v, err := OpenVault("", open(f, f.TempDir()), func() time.Time { return noon })
	if err != nil {
		f.Fatal(err)
	}
	if _, err := v.Shred(noon.Add(time.Hour), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(v.held.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeSecrets(b)
		if err != nil {
			return
		}
		if again, err := decodeSecrets(s.encode()); err != nil || len(again.shreds) != len(s.shreds) || len(again.prekeys) != len(s.prekeys) {
			t.Errorf("does not come back: %v", err)
		}
	})
}
