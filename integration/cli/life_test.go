//go:build unix

package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc/proctest"
)

func TestAcceptedMessageOutlivesBothProcesses(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	alice.ok("contact", "add", bob.link, "bob")
	bob.end(syscall.SIGKILL)
	r := m.tomd(t, "alice", "", "send", "bob", "wait for me", "--json", "--timeout", "1s")
	id, _ := parse(t, r.out)["id"].(string)
	if r.code != 1 || !strings.Contains(r.err, "stays queued until") || !strings.Contains(r.err, "tomd trace "+id) {
		t.Fatalf("to one who is away: %+v", r)
	}
	alice.end(syscall.SIGKILL)

	alice, bob = m.start(t, "alice"), m.start(t, "bob")
	alice.ok("connect", bob.link)
	follow := bob.run("inbox", "--follow", "--json")
	if got := parse(t, follow.line(t)); got["id"] != id || got["body"] != "wait for me" {
		t.Errorf("received %v", got)
	}
	follow.signal(syscall.SIGINT)
}

func TestCtrlCLeavesTheMessageQueued(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice := m.start(t, "alice")
	away := strings.Fields(m.tomd(t, "away", "", "id").out)[1]
	send := alice.run("send", away, "later")
	id := send.line(t)
	end := send.signal(syscall.SIGINT)
	if end.code != 1 || !strings.Contains(end.err, "interrupted") || !strings.Contains(end.err, "stays queued until") {
		t.Errorf("interrupted: %+v", end)
	}
	if trace := alice.object("trace", id); trace["state"] != "queued" && trace["state"] != "sent" {
		t.Errorf("trace %v", trace)
	}
	if status := alice.object("status"); status["queued"] != 1.0 {
		t.Errorf("status %v", status)
	}
}

func TestOneDaemonADirectory(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice := m.start(t, "alice")
	r := m.tomd(t, "alice", "", "start", "--local")
	if r.code != 4 || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, "in use") {
		t.Errorf("second daemon: %+v", r)
	}
	if got := alice.object("id")["id"]; got != alice.id {
		t.Errorf("the first is %v now", got)
	}
}

func TestStopReturnsWhenTheDirectoryIsFree(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for range 3 {
		alice := m.start(t, "alice")
		alice.ok("stop")
		again := m.start(t, "alice")
		if again.id != alice.id || again.link != alice.link {
			t.Errorf("became %s, was %s", again.link, alice.link)
		}
		again.end(syscall.SIGTERM)
		if alice.cmd.Wait() != nil || alice.stderr.Len() > 0 {
			t.Errorf("stopped: %v %s", alice.cmd.ProcessState, alice.stderr.String())
		}
		alice.ended = true
	}
	if r := m.tomd(t, "alice", "", "status"); r.code != 3 || !strings.Contains(r.err, "tomd start") {
		t.Errorf("no daemon: %+v", r)
	}
	if r := m.tomd(t, "alice", "", "id"); r.code != 0 || !strings.Contains(r.out, "?a=/ip4/127.0.0.1/") {
		t.Errorf("the last link: %+v", r)
	}
}

func TestDaemonEndsWhileAsked(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	bob.ok("send", alice.link, "one")
	follow := alice.run("inbox", "--follow")
	follow.line(t)
	bob.ok("send", alice.link, "two")
	follow.line(t) // which shows that it follows
	away := strings.Fields(m.tomd(t, "away", "", "id").out)[1]
	send := alice.run("send", away, "later", "--timeout", "1s")
	id := send.line(t)
	alice.end(syscall.SIGINT)
	if end := send.wait(); end.code != 3 || !strings.Contains(end.err, "tomd trace "+id) {
		t.Errorf("send: %+v", end)
	}
	if end := follow.wait(); end.code != 3 || !strings.Contains(end.err, "--since") {
		t.Errorf("follow: %+v", end)
	}
}

func TestDamagedKeyIsOneSentence(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.tomd(t, "alice", "", "id")
	if err := os.WriteFile(filepath.Join(m.data("alice"), "identity.key"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"start", "--local"}, {"id"}} {
		if r := m.tomd(t, "alice", "", args...); r.code != 4 || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, "identity.key") {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

func TestAPIOverTCPAndMetrics(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	api, metrics := proctest.FreeAddr(t), proctest.FreeAddr(t)
	alice := m.start(t, "alice", "--api", api, "--metrics", metrics)
	if got := alice.object("status", "--api", api)["id"]; got != alice.id {
		t.Errorf("over TCP: %v", got)
	}
	if r := m.tomd(t, "other", "", "status", "--api", api); r.code != 4 || !strings.Contains(r.err, "api.token") {
		t.Errorf("without token: %+v", r)
	}
	if body := get(t, "http://"+metrics+"/metrics"); !strings.Contains(body, "libp2p_") {
		t.Errorf("metrics: %.200s", body)
	}
	if body := get(t, "http://"+api+"/v1/status"); !strings.Contains(body, `"code":"unauthorized"`) {
		t.Errorf("bare request: %s", body)
	}
}

func TestLogLevelChangesWhileRunning(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice := m.start(t, "alice")
	if r := m.tomd(t, "alice", "", "log", "loud"); r.code != 2 || !strings.Contains(r.err, "debug, info, warn, error") {
		t.Errorf("wrong level: %+v", r)
	}
	alice.ok("log", "debug")
	bob := m.start(t, "bob")
	bob.ok("connect", alice.link)
	alice.ok("log", "error")
	alice.ended = true
	_ = alice.cmd.Process.Signal(syscall.SIGTERM)
	if err := alice.cmd.Wait(); err != nil || !strings.Contains(alice.stderr.String(), "DEBUG") {
		t.Errorf("it logged nothing at debug: %v", err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A request to a peer that accepts and then says nothing holds the end up.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	alice := m.start(t, "alice")
	nobody := strings.Fields(m.tomd(t, "nobody", "", "id").out)[0]
	_, port, _ := strings.Cut(mute.Addr().String(), ":")
	connect := alice.run("connect", "/ip4/127.0.0.1/tcp/"+port+"/p2p/"+nobody)
	conn, err := mute.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	signal := func() {
		if err := alice.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	signal()
	for m.tomd(t, "alice", "", "status").code != 3 {
	}
	begun := time.Now()
	signal()
	alice.ended = true
	_ = alice.cmd.Wait()
	status, _ := alice.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if took := time.Since(begun); !status.Signaled() || took > 2*time.Second {
		t.Errorf("ended with %v after %v", alice.cmd.ProcessState, took)
	}
	if end := connect.wait(); end.code != 3 {
		t.Errorf("the request: %+v", end)
	}
}
