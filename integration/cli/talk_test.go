//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTwoDaemonsTalkAndProveIt(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	alice.ok("contact", "add", bob.link, "bobby")

	sent := alice.object("send", "bobby", "hello --json, é ✓")
	if sent["state"] != "delivered" || sent["path"] != "direct" || sent["forward_secret"] != true || sent["reason"] != "" {
		t.Errorf("sent %v", sent)
	}
	id := sent["id"].(string)
	got := bob.object("inbox")
	if got["id"] != id || got["from"] != alice.id || got["name"] != "alice?" || got["body"] != "hello --json, é ✓" ||
		got["stranger"] != true || got["read"] != false || got["path"] != "direct" {
		t.Errorf("received %v", got)
	}
	read := alice.run("send", "--wait", "read", "bobby", "read me")
	read.line(t)
	marked := bob.run("inbox", "--follow", "--mark-read")
	if end := read.wait(); end.code != 0 || !strings.Contains(end.out, "bobby: read") {
		t.Errorf("read: %+v", end)
	}
	marked.signal(syscall.SIGINT)
	if out := bob.ok("inbox", "--unread"); out != "" {
		t.Errorf("still unread: %s", out)
	}

	file := filepath.Join(m.dir, "receipt.json")
	if err := os.WriteFile(file, []byte(alice.ok("receipt", "export", id)), 0o600); err != nil {
		t.Fatal(err)
	}
	proof := parse(t, m.tomd(t, "nobody", "", "receipt", "verify", "--json", file).out)
	if proof["valid"] != true || proof["recipient"] != bob.id || proof["author"] != alice.id || proof["id"] != id {
		t.Errorf("receipt %v", proof)
	}
}

func TestJSONIsAsItIsWritten(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	sent := alice.ok("--json", "send", bob.link, "hello")
	id := parse(t, sent)["id"].(string)
	for _, tt := range []struct{ text, want string }{
		{sent, "id state path elapsed_ms reason forward_secret"},
		{alice.ok("id", "--json"), "id link addrs"},
		{alice.ok("status", "--json"), "id version uptime_ms addrs reachability peers queued waiting holding clock_offset_ms"},
		{alice.ok("peers", "--json"), "id name path rtt_ms since addr transport"},
		{bob.ok("inbox", "--json"), "id from name type body created received end path read stranger cursor"},
		{alice.ok("trace", id, "--json"), "id to state forward_secret attempts holders next superseded_by"},
	} {
		if got := keys(t, tt.text); got != tt.want {
			t.Errorf("keys %s, want %s", got, tt.want)
		}
	}
	trace := alice.object("trace", id)
	attempts, _ := trace["attempts"].([]any)
	if len(attempts) == 0 {
		t.Fatalf("no attempts in %v", trace)
	}
	at, _ := attempts[0].(map[string]any)["at"].(string)
	if len(at) != len("2006-01-02T15:04:05.000Z") || !strings.HasSuffix(at, "Z") {
		t.Errorf("time %q is not RFC 3339 with milliseconds", at)
	}
	if got := bob.ok("inbox", "--json", "--since", "1000000"); !strings.HasPrefix(got, `{"gap":true}`+"\n") {
		t.Errorf("a cursor of another database: %s", got)
	}
}

func TestBytesTravelAsBytes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	_, bob := m.start(t, "alice"), m.start(t, "bob")
	if r := m.tomd(t, "alice", "\x00\xff\n", "send", bob.link, "-"); r.code != 0 {
		t.Fatalf("send: %+v", r)
	}
	if got := bob.object("inbox"); got["body"] != "AP8K" || got["encoding"] != "base64" {
		t.Errorf("received %v", got)
	}
	if r := m.tomd(t, "alice", strings.Repeat("x", 256<<10), "send", bob.link, "-"); r.code != 4 || !strings.Contains(r.err, "limit") {
		t.Errorf("over the limit: %+v", r)
	}
}

func TestFollowGoesOnFromItsCursor(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	alice.ok("send", bob.link, "one")
	follow := bob.run("inbox", "--follow", "--json")
	first := parse(t, follow.line(t))
	alice.ok("send", bob.link, "two")
	second := parse(t, follow.line(t))
	if first["body"] != "one" || second["body"] != "two" {
		t.Errorf("followed %v, %v", first, second)
	}
	if end := follow.signal(syscall.SIGINT); end.code != 0 || end.out != "" || end.err != "" {
		t.Errorf("interrupted: %+v", end)
	}
	cursor := strings.TrimSuffix(strings.SplitAfter(bob.ok("inbox", "--json"), `"cursor":`)[1], "\n")
	cursor, _, _ = strings.Cut(cursor, "}")
	if again := bob.object("inbox", "--since", cursor); again["body"] != "two" {
		t.Errorf("since %s: %v", cursor, again)
	}
}

func TestMutedAndStrangersStandApart(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	alice.ok("send", bob.link, "from a stranger")
	if got := bob.object("inbox", "--requests"); got["stranger"] != true {
		t.Errorf("request %v", got)
	}
	bob.ok("contact", "add", alice.link)
	if out := bob.ok("inbox", "--requests"); out != "" {
		t.Errorf("still a request: %s", out)
	}
	bob.ok("mute", "alice")
	alice.ok("send", bob.link, "muted") // receipted as usual
	if out := bob.ok("inbox"); strings.Contains(out, "muted") {
		t.Errorf("a muted peer's message is listed: %s", out)
	}
	if out := bob.ok("inbox", "--requests"); !strings.Contains(out, "muted") {
		t.Errorf("a muted peer's message is nowhere: %s", out)
	}
	bob.ok("unmute", "alice")
	bob.ok("contact", "rename", "alice", "al")
	if out := bob.ok("contact", "list"); !strings.Contains(out, "al ") || !strings.Contains(out, alice.id) {
		t.Errorf("contacts: %s", out)
	}
	bob.ok("contact", "remove", "al")
	if r := m.tomd(t, "bob", "", "send", "al", "hi"); r.code != 2 || !strings.Contains(r.err, "al") {
		t.Errorf("removed contact: %+v", r)
	}
}
