package hostile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
)

// victimEnv makes the test binary be a victim: a node in a process of its own,
// so that what it takes of memory and goroutines is its own.
const victimEnv = "TOM_HOSTILE_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		if err := beVictim(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if left := leaked(); code == 0 && left != "" {
		fmt.Println("goroutines left:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the goroutines of nodes and hosts that outlive the tests.
func leaked() (left string) {
	again := time.NewTicker(50 * time.Millisecond) // they are on their way out
	defer again.Stop()
	for range 100 {
		left = ""
		buf := make([]byte, 4<<20)
		for _, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if bytes.Contains(stack, []byte("tom-protocol/tom/node")) || bytes.Contains(stack, []byte("basichost")) {
				left += string(stack) + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
		<-again.C
	}
	return left
}

// order is what a victim is told, a line of JSON each.
type order struct {
	Contact string `json:"contact,omitempty"` // add this link
	Send    string `json:"send,omitempty"`    // a message to this link, and wait for its receipt
	Text    string `json:"text,omitempty"`
}

// account is a victim's answer to each order.
type account struct {
	Link       string         `json:"link,omitempty"`
	Error      string         `json:"error,omitempty"`
	Goroutines int            `json:"goroutines"`
	Heap       int            `json:"heap"`  // bytes in use after a collection
	Inbox      map[string]int `json:"inbox"` // how often each body is there, by its first bytes
	Queued     int            `json:"queued"`
}

// beVictim runs a node until the orders end.
func beVictim(orders io.Reader, accounts io.Writer) error {
	n, err := node.New(node.Config{Name: "bob", Local: true, NoRendezvous: true, InboxLimit: 1 << 20, OutboxLimit: 1 << 20})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	in, out := bufio.NewScanner(orders), json.NewEncoder(accounts)
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		a := give(ctx, n)
		if err := obey(ctx, n, o); err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	cancel()
	return <-done
}

func obey(ctx context.Context, n *node.Node, o order) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch {
	case o.Contact != "":
		_, err := n.AddContact(o.Contact, "alice")
		return err
	case o.Send != "":
		id, err := n.Send(ctx, o.Send, node.Text(o.Text))
		if err != nil {
			return err
		}
		_, err = n.Wait(ctx, id, node.Delivered)
		return err
	}
	return nil
}

func give(ctx context.Context, n *node.Node) account {
	a := account{Link: n.Link(), Inbox: make(map[string]int), Goroutines: runtime.NumGoroutine()}
	rows, _ := n.Inbox(node.Query{})
	for _, r := range rows {
		a.Inbox[string(r.Body[:min(len(r.Body), 16)])]++
	}
	rows = nil
	if i, err := n.Info(ctx); err == nil {
		a.Queued = i.Queued
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	a.Heap = int(m.HeapAlloc)
	return a
}

// victim is a node in a process of its own, and an honest correspondent of
// its.
type victim struct {
	t     *testing.T
	alice *living
	link  string
	in    io.WriteCloser
	out   *json.Decoder
	sent  int
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), victimEnv+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("victim: %v\n%s", err, &stderr)
		}
	})
	v := &victim{t: t, in: in, out: json.NewDecoder(out)}
	v.link = v.order(order{}).Link
	v.alice = run(t, node.Config{Name: "alice"})
	v.order(order{Contact: v.alice.Link()})
	v.honest()
	return v
}

func (v *victim) order(o order) (a account) {
	v.t.Helper()
	if err := json.NewEncoder(v.in).Encode(o); err != nil {
		v.t.Fatal(err)
	}
	if err := v.out.Decode(&a); err != nil {
		v.t.Fatal(err)
	}
	if a.Error != "" {
		v.t.Fatalf("the victim says: %s", a.Error)
	}
	return a
}

// honest sends a message each way, wants both delivered, and returns how long
// that took.
func (v *victim) honest() time.Duration {
	v.t.Helper()
	v.sent++
	text := fmt.Sprintf("honest %d", v.sent)
	begun := time.Now()
	v.alice.delivered(v.alice.accept(v.link, text))
	v.order(order{Send: v.alice.Link(), Text: text})
	took := time.Since(begun)
	if a := v.order(order{}); a.Inbox[text] != 1 {
		v.t.Fatalf("the victim has %q %d times", text, a.Inbox[text])
	}
	return took
}

// Bounds of what a victim may grow by while it is attacked.
const (
	moreGoroutines = 1500
	moreHeap       = 48 << 20
)

// bounded wants a victim not to have grown much since before.
func (v *victim) bounded(before account) account {
	v.t.Helper()
	now := v.order(order{})
	v.t.Logf("goroutines %d → %d, heap %d KiB → %d KiB, inbox %d rows, %d queued", before.Goroutines, now.Goroutines, before.Heap>>10, now.Heap>>10, len(now.Inbox), now.Queued)
	if more := now.Goroutines - before.Goroutines; more > moreGoroutines {
		v.t.Errorf("%d goroutines more", more)
	}
	if more := now.Heap - before.Heap; more > moreHeap {
		v.t.Errorf("%d MiB more", more>>20)
	}
	return now
}
