package away

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/needs"
	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// onOwnMounts marks the process that TestAFullDiskLosesNothing starts, in which
// what is mounted is seen by nobody else and goes with it.
const onOwnMounts = "TOM_TEST_ON_OWN_MOUNTS"

// TestAFullDiskLosesNothing gives a daemon a small disk, a file system of
// its own, and fills it to the last byte: what was accepted stays, what is not
// accepted is said to be, a holder that is full sends others on, and all goes on
// once there is space.
func TestAFullDiskLosesNothing(t *testing.T) {
	needs.Root(t)
	if os.Getenv(onOwnMounts) != "" {
		fullDisk(t)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), onOwnMounts+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), strings.Contains(string(out), needs.NotRun):
		needs.Missing(t, "to mount a file system")
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if _, said, ok := strings.Cut(line, "_test.go:"); ok {
			t.Log(strings.TrimSpace(said))
		}
	}
}

// smallDisk puts the data of a daemon that is about to start on a disk of its
// own, and returns where.
func (w *town) smallDisk(name string, size string) string {
	w.T.Helper()
	dir := w.Data(name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		w.T.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		needs.Missing(w.T, "to mount a file system: "+err.Error())
	}
	w.T.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all free space of a disk, and returns how to give it back.
func (w *town) fill(dir string) (free func()) {
	w.T.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	for chunk := make([]byte, 4<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		w.T.Fatal(err)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(name); err != nil {
			w.T.Fatal(err)
		}
	}
}

func fullDisk(t *testing.T) {
	w := newTown(t, 3*time.Minute)
	disk := w.smallDisk("small", "64m")
	small, alice, bob := w.Start("small"), w.Start("alice"), w.Start("bob")
	keepers := []*proc.Daemon{w.Start("keeper0"), w.Start("keeper1"), w.Start("keeper2")}
	w.send(alice, small.Link, "to small, before", localapi.Delivered)
	w.send(small, bob.Link, "from small, before", localapi.Delivered)
	w.until("everybody knows everybody", 30*time.Second, func() bool {
		for _, d := range append([]*proc.Daemon{alice, small}, keepers...) {
			if s, err := d.Client.Status(w.ctx); err != nil || s.Peers < 5 {
				return false
			}
		}
		return true
	})
	bob.Kill()
	early := w.send(small, bob.ID, "accepted before", localapi.Stored)

	free := w.fill(disk)
	r, err := small.Run(w.ctx, "send", bob.ID, "no room for this")
	if err != nil || r.Code != 4 || !strings.Contains(r.Err, "disk") || !strings.Contains(r.Err, "free some space") {
		t.Errorf("to send from a full disk exits with %d and says %q, %v", r.Code, r.Err, err)
	}
	t.Logf("tomd send on a full disk: %s", strings.TrimSpace(r.Err))
	// As a holder it says so, and the sender goes elsewhere.
	before := w.mailbox(small).Messages
	for i, id := range w.accept(alice, bob.ID, "kept elsewhere", 8) {
		if m, err := alice.Client.Wait(w.ctx, id, localapi.Stored, 30*time.Second); err != nil || !m.State.Reached(localapi.Stored) {
			t.Fatalf("message %d is %s, %v", i, m.State, err)
		}
		trace, err := alice.Client.Trace(w.ctx, id)
		if err != nil || slices.ContainsFunc(trace.Holders, func(h localapi.Holder) bool { return h.ID == small.ID && h.Live }) {
			t.Errorf("a full holder is relied on: %+v, %v", trace.Holders, err)
		}
	}
	if after := w.mailbox(small).Messages; after > before {
		t.Errorf("a full holder has taken %d messages", after-before)
	}
	// As a recipient it is busy: nothing is signed for.
	late, err := alice.Client.Send(w.ctx, localapi.Outgoing{To: small.ID, Content: localapi.NewContent("", []byte("to small, while full"))})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := alice.Client.Wait(w.ctx, late.ID, localapi.Delivered, 3*time.Second); err == nil && m.State.Reached(localapi.Delivered) {
		t.Errorf("a full disk took %+v", m)
	}

	free()
	took := w.until("small accepts again", 20*time.Second, func() bool {
		_, err := small.Client.Send(w.ctx, localapi.Outgoing{To: bob.ID, Content: localapi.NewContent("", []byte("accepted after"))})
		return err == nil
	})
	t.Logf("accepts %v after there is space", took.Round(time.Millisecond))

	// A power cut while it is full again. It cannot start so, and says why.
	free = w.fill(disk)
	small.Kill()
	if _, err := small.Again(w.ctx); err == nil {
		t.Log("starts on a full disk")
	} else if !strings.Contains(err.Error(), "disk full: free some space") {
		t.Errorf("a start on a full disk: %v", err)
	} else {
		t.Logf("tomd start on a full disk: %v", err)
	}
	free()
	if small, err = small.Again(w.ctx); err != nil {
		t.Fatal(err)
	}
	if m, err := alice.Client.Wait(w.ctx, late.ID, localapi.Delivered, 40*time.Second); err != nil || !m.State.Reached(localapi.Delivered) {
		trace, _ := alice.Client.Trace(w.ctx, late.ID)
		t.Errorf("what came meanwhile is %s, %v: %+v", m.State, err, trace)
	}
	if bob, err = bob.Again(w.ctx); err != nil {
		t.Fatal(err)
	}
	if m, err := small.Client.Wait(w.ctx, early, localapi.Delivered, 30*time.Second); err != nil || !m.State.Reached(localapi.Delivered) {
		t.Errorf("what was accepted before is %s, %v", m.State, err)
	}
	w.until("all that was accepted is there", 30*time.Second, func() bool { return len(w.inbox(bob)) == 11 })
	for _, d := range []*proc.Daemon{bob, small} {
		for text, rows := range w.inbox(d) {
			if len(rows) != 1 || strings.HasPrefix(text, "no room") {
				t.Errorf("%q is there %d times", text, len(rows))
			}
		}
	}
	if got := w.inbox(small); len(got) != 2 {
		t.Errorf("small has %d messages", len(got))
	}
}
