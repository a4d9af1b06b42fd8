package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// result is what a command printed, and its exit code.
type result struct {
	out, err string
	code     int
}

// tomd runs a command of a data directory in this process.
func tomd(ctx context.Context, dir, stdin string, args ...string) result {
	var out, errs bytes.Buffer
	t := &terminal{in: strings.NewReader(stdin), out: &out, err: &errs}
	code := run(ctx, append([]string{"--data", dir}, args...), t)
	return result{out.String(), errs.String(), code}
}

// shortDir is short enough for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tom")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// canned is a backend whose one message is in the state it is told, and whose
// inbox holds what it is given.
type canned struct {
	localapi.Backend
	message localapi.Message
	inbox   []localapi.Received
	oldest  localapi.Cursor
	sent    chan localapi.Outgoing
	read    chan []localapi.Cursor
}

func (c *canned) Send(_ context.Context, m localapi.Outgoing) (localapi.Accepted, error) {
	if m.To == "nobody" {
		return localapi.Accepted{}, localapi.Errorf(localapi.CodeUnknownPeer, "nobody is called %q", m.To)
	}
	c.sent <- m
	return localapi.Accepted{ID: c.message.ID, To: "12D3"}, nil
}

func (c *canned) Message(context.Context, string) (localapi.Message, error) { return c.message, nil }

func (c *canned) Inbox(_ context.Context, q localapi.InboxQuery) (rows []localapi.Received, more bool, err error) {
	for _, m := range c.inbox {
		if m.Cursor > q.Since {
			rows = append(rows, m)
		}
	}
	return rows, false, nil
}

func (c *canned) MarkRead(_ context.Context, rows []localapi.Cursor) error {
	c.read <- rows
	return nil
}

func (c *canned) Cursors(context.Context) (oldest, newest localapi.Cursor, err error) {
	return c.oldest, 9, nil
}

func (c *canned) Events(_ context.Context, since localapi.Cursor, _ int) ([]localapi.Event, error) {
	if since >= 10 {
		return nil, nil
	}
	m := localapi.Received{ID: "late", From: "12D3", Name: "bob", Content: localapi.NewContent(localapi.DefaultType, []byte("late")), Cursor: 10}
	return []localapi.Event{{Cursor: 10, Kind: localapi.EventReceived, Message: &m}}, nil
}

func (c *canned) Subscribe() (<-chan struct{}, func()) { return make(chan struct{}), func() {} }

func serveCanned(t *testing.T, c *canned) (dir string) {
	t.Helper()
	dir = shortDir(t)
	c.sent, c.read = make(chan localapi.Outgoing, 9), make(chan []localapi.Cursor, 9)
	s, err := localapi.NewServer(localapi.Config{Backend: c, DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return dir
}

func TestSendSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	end := localapi.At(time.Now().Add(time.Minute))
	message := func(s localapi.State, reason string) localapi.Message {
		return localapi.Message{ID: "0198", To: "12D3", Name: "bob", State: s, Path: "direct", Reason: reason, ForwardSecret: true, End: end}
	}
	tests := []struct {
		name string
		m    localapi.Message
		args string
		code int
		out  string // begins
		err  string // contains
	}{
		{"delivered", message(localapi.Delivered, ""), "send bob hi", exitReached, "0198\nbob: delivered, direct, after ", ""},
		{"as JSON", message(localapi.Delivered, ""), "send bob hi --json", exitReached, `{"id":"0198","state":"delivered","path":"direct","elapsed_ms":`, ""},
		{"not in time", message(localapi.Queued, "bob is away"), "send bob hi --timeout 10ms", exitNotReached, "0198\n", "tomd: not delivered yet: bob is away; it stays queued until "},
		{"not in time, as JSON", message(localapi.Queued, "bob is away"), "send bob hi --timeout 10ms --json", exitNotReached, `{"id":"0198","state":"queued"`, `{"error":{"code":"not_reached","message":"not delivered yet: bob is away;`},
		{"enough", message(localapi.Queued, ""), "send --wait queued bob hi", exitReached, "0198\nbob: queued", ""},
		{"refused", message(localapi.Failed, "bob wants no such thing"), "send bob hi", exitRefused, "0198\n", "bob wants no such thing: tomd trace 0198"},
		{"unknown peer", message(localapi.Queued, ""), "send nobody hi", exitUsage, "", `nobody is called "nobody"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := serveCanned(t, &canned{message: tt.m})
			got := tomd(t.Context(), dir, "", strings.Fields(tt.args)...)
			if got.code != tt.code || !strings.HasPrefix(got.out, tt.out) || !strings.Contains(got.err, tt.err) || tt.err == "" && got.err != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestSendTakesTextAsItIs(t *testing.T) {
	t.Parallel()
	c := &canned{message: localapi.Message{ID: "0198", State: localapi.Delivered}}
	dir := serveCanned(t, c)
	for _, tt := range []struct{ stdin, text, kind, body string }{
		{"", "help", "text/plain", "help"},
		{"", "a  b\n", "text/plain", "a  b\n"},
		{"from\nstdin\n", "-", "text/plain", "from\nstdin\n"},
		{"\xff\x00", "-", "application/octet-stream", "\xff\x00"},
		{"", "--generate-bash-completion", "text/plain", "--generate-bash-completion"},
	} {
		if got := tomd(t.Context(), dir, tt.stdin, "send", "bob", "--", tt.text); got.code != exitReached {
			t.Fatalf("%q: %+v", tt.text, got)
		}
		m := <-c.sent
		if body, err := m.Bytes(); err != nil || string(body) != tt.body || m.Type != tt.kind || m.To != "bob" {
			t.Errorf("%q arrived as %+v", tt.text, m)
		}
	}
	got := tomd(t.Context(), dir, strings.Repeat("x", localapi.MaxBody+1), "send", "bob", "-")
	if got.code != exitRefused || !strings.Contains(got.err, "256 KiB") {
		t.Errorf("too large: %+v", got)
	}
}

func TestCtrlCLeavesTheMessageQueuedAndSaysSo(t *testing.T) {
	t.Parallel()
	c := &canned{message: localapi.Message{ID: "0198", State: localapi.Sent, End: localapi.At(time.Now())}}
	dir := serveCanned(t, c)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-c.sent
		interrupt()
	}()
	got := tomd(ctx, dir, "", "send", "bob", "hi")
	if got.code != exitNotReached || !strings.Contains(got.err, "interrupted") {
		t.Errorf("got %+v", got)
	}
	// Either the id was printed, and the sentence says that it stays queued, or
	// the interruption was first, and it says that nothing was accepted.
	if strings.HasPrefix(got.out, "0198\n") != strings.Contains(got.err, "stays queued until") {
		t.Errorf("got %+v", got)
	}
}

func TestInboxListsFollowsAndMarks(t *testing.T) {
	t.Parallel()
	at := localapi.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	c := &canned{inbox: []localapi.Received{
		{ID: "a", From: "12D3", Name: "bob", Content: localapi.NewContent(localapi.DefaultType, []byte("one\ntwo\x1b")), Received: at, Cursor: 4, Read: true},
		{ID: "b", From: "12D4", Name: "eve?", Content: localapi.NewContent("image/png", []byte{0xff}), Received: at, Cursor: 7, Stranger: true},
	}}
	dir := serveCanned(t, c)
	got := tomd(t.Context(), dir, "", "inbox", "--mark-read")
	for _, want := range []string{"     4  ", "bob: one\n        two\ufffd\n", "     7* ", "eve? (stranger): [image/png, 1 bytes; --json shows them]"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in %q", want, got.out)
		}
	}
	if rows := <-c.read; len(rows) != 1 || rows[0] != 7 {
		t.Errorf("marked %v", rows)
	}
	if got := tomd(t.Context(), dir, "", "inbox", "--json", "--since", "4"); strings.Count(got.out, "\n") != 1 || !strings.HasPrefix(got.out, `{"id":"b","from":"12D4","name":"eve?","type":"image/png","body":"/w==","encoding":"base64","created":null,`) {
		t.Errorf("JSON: %+v", got)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-c.read // of the list
		<-c.read // of what came later
		interrupt()
	}()
	got = tomd(ctx, dir, "", "inbox", "--follow", "--mark-read")
	if got.code != exitReached || !strings.Contains(got.out, "bob: late") {
		t.Errorf("follow: %+v", got)
	}
	c.oldest = 5
	if got := tomd(t.Context(), dir, "", "inbox", "--json", "--since", "3"); !strings.HasPrefix(got.out, `{"gap":true}`+"\n"+`{"id":"a"`) {
		t.Errorf("gap: %+v", got)
	}
}

func TestNoDaemonIsExitThree(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"status", "peers", "send bob hi", "inbox --follow", "stop", "log debug", "trace x", "contact list"} {
		if got := tomd(t.Context(), shortDir(t), "", strings.Fields(args)...); got.code != exitNoDaemon || !strings.Contains(got.err, "tomd start") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestWrongUsageIsExitTwo(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"send bob":                                "send needs TEXT|-",
		"contact add":                             "contact add needs TARGET [NAME]",
		"send bob a b":                            "in quotes",
		"status now":                              `takes no argument, and there is "now"`,
		"send --wait there bob hi":                "nothing to wait for",
		"send --timeout -1s bob hi":               "below zero",
		"group send --timeout -1s friends hi":     "below zero",
		"send --timeout x bob hi":                 "--timeout",
		"inbox --since x":                         "--since",
		"completion tcsh":                         "bash, fish, zsh",
		"help nothing":                            `no command "nothing"`,
		"receipt verify /missing":                 "cannot read /missing: no such file",
		"send bob hi --frob":                      "--frob",
		"start --listen tcp:80":                   `--listen "tcp:80" is no multiaddr`,
		"start --bootstrap tom:p":                 "the whole link",
		"start --bootstrap /ip4/127.0.0.1/tcp/80": "the whole link",
		"start --log-level loud":                  "debug, info, warn, error",
	} {
		if got := tomd(t.Context(), shortDir(t), "", strings.Fields(args)...); got.code != exitUsage || !strings.Contains(got.err, says) || got.out != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestIdentityMovesUnderAPassphrase(t *testing.T) {
	t.Parallel()
	old, fresh := shortDir(t), shortDir(t)
	file := filepath.Join(shortDir(t), "identity")
	id := tomd(t.Context(), old, "", "id", "--json")
	if id.code != exitReached || !strings.HasPrefix(id.out, `{"id":"12D3KooW`) || !strings.HasSuffix(id.out, `"addrs":[]}`+"\n") {
		t.Fatalf("id: %+v", id)
	}
	if got := tomd(t.Context(), old, "secret\n", "id", "export", file); got.code != exitReached {
		t.Fatalf("export: %+v", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("export file: %v, %v", info.Mode(), err)
	}
	steps := []struct {
		name, dir, stdin string
		args             []string
		code             int
		says             string
	}{
		{"export over a file", old, "secret\n", []string{"id", "export", file}, exitRefused, "name a new file"},
		{"empty passphrase", old, "\n", []string{"id", "export", file + "2"}, exitUsage, "empty"},
		{"wrong passphrase", fresh, "wrong\n", []string{"id", "import", file}, exitRefused, "wrong passphrase"},
		{"import", fresh, "secret", []string{"id", "import", file}, exitReached, "old device must stay off"},
		{"import over a key", fresh, "secret\n", []string{"id", "import", file}, exitRefused, "not overwritten"},
	}
	for _, tt := range steps {
		if got := tomd(t.Context(), tt.dir, tt.stdin, tt.args...); got.code != tt.code || !strings.Contains(got.out+got.err, tt.says) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	if got := tomd(t.Context(), fresh, "", "id", "--json"); got.out != id.out {
		t.Errorf("imported %s, exported %s", got.out, id.out)
	}
}

func TestStoredLinkIsShownWithoutADaemon(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	settings := `{"port":4001,"name":"alice","addrs":["/ip4/192.168.1.2/tcp/4001","nonsense"]}`
	if err := os.WriteFile(filepath.Join(dir, settingsFile), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tomd(t.Context(), dir, "", "id", "--json"); !strings.Contains(got.out, `?a=/ip4/192.168.1.2/tcp/4001&n=alice","addrs":["/ip4/192.168.1.2/tcp/4001"]`) {
		t.Errorf("id: %+v", got)
	}
	if got := tomd(t.Context(), dir, "", "id", "--qr"); !strings.Contains(got.out, "▀") {
		t.Errorf("no QR code in %+v", got)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	root := testSpec()
	tests := []struct {
		known, last string
		has         string
		peer        bool
	}{
		{"", "", "send", false},
		{"--json", "", "inbox", false},
		{"contact", "", "rename", false},
		{"send --wait sent", "--", "--timeout", false},
		{"send", "--", "--data", false},
		{"send", "", "", true},
		{"send bob", "", "", false},
		{"--data /d mute", "b", "", true},
		{"completion", "", "zsh", false},
		{"log", "", "debug", false},
		{"send --", "--", "", true},
	}
	for _, tt := range tests {
		words, peer := candidates(root, strings.Fields(tt.known), tt.last)
		if has := strings.Contains(" "+strings.Join(words, " ")+" ", " "+tt.has+" "); peer != tt.peer || tt.has != "" && !has || tt.has == "" && len(words) > 0 {
			t.Errorf("%q %q: %q, peer %v", tt.known, tt.last, words, peer)
		}
	}
}
