package localapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain looks for goroutines of this package that outlive its tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaked(); code == 0 && left != "" {
		fmt.Println("goroutines left:\n" + left)
		code = 1
	}
	os.Exit(code)
}

func leaked() string {
	var left string
	for range 100 {
		left = ""
		buf := make([]byte, 1<<20)
		for _, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if bytes.Contains(stack, []byte("net/http")) || bytes.Contains(stack, []byte("localapi.(")) {
				left += string(stack) + "\n"
			}
		}
		if left == "" {
			return ""
		}
		runtime.Gosched()
		<-time.After(10 * time.Millisecond)
	}
	return left
}

// tempDir is short, unlike the one of testing: a socket's path must be.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tom")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve runs a server until stop is called, or the test ends.
func serve(t *testing.T, cfg Config) (s *Server, stop func()) {
	t.Helper()
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func client(t *testing.T, dir, addr string) *Client {
	t.Helper()
	c, err := NewClient(dir, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// start is a server over memory, and its client.
func start(t *testing.T) (*memory, *Client) {
	t.Helper()
	m, dir := newMemory(), tempDir(t)
	serve(t, Config{Backend: m, DataDir: dir})
	return m, client(t, dir, "")
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func wantCode(t *testing.T, err error, code Code) *Error {
	t.Helper()
	var known *Error
	if !errors.As(err, &known) || known.Code != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
	return known
}

func TestErrorsKeepCodeMessageAndHint(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	_, err := c.Connect(testContext(t), "/dead")
	known := wantCode(t, err, CodeUnreachable)
	if known.Error() != "nobody answers at /dead: is it running?" {
		t.Errorf("error reads %q", known)
	}
}

func TestWrongRequestsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	ctx := testContext(t)
	tests := []struct {
		method, path string
		body         any
		code         Code
		says         string
	}{
		{"GET", "nothing", nil, CodeNotFound, "no /v1/nothing"},
		{"DELETE", "status", nil, CodeBadRequest, "it takes GET"},
		{"POST", "connect", map[string]int{"targt": 1}, CodeBadRequest, "targt"},
		{"POST", "messages", map[string]string{"to": "x", "body": "?", "encoding": "base64"}, CodeBadRequest, "base64"},
		{"POST", "messages", map[string]string{"to": "x", "body": strings.Repeat("x", maxRequest)}, CodeTooLarge, "256 KiB"},
		{"GET", "inbox?since=-1", nil, CodeBadRequest, "cursor"},
		{"GET", "inbox?limit=0", nil, CodeBadRequest, "limit"},
		{"GET", "events?since=x", nil, CodeBadRequest, "cursor"},
		{"GET", "messages/x?wait=gone&timeout=1s", nil, CodeBadRequest, "gone"},
		{"GET", "messages/x?wait=sent&timeout=soon", nil, CodeBadRequest, "soon"},
		{"GET", "messages/x?wait=sent&timeout=1s", nil, CodeNotFound, "no message x"},
		{"PUT", "log", levelRequest{"debug"}, CodeRefused, "log level"},
		{"POST", "stop", nil, CodeRefused, "stopped"},
	}
	for _, tt := range tests {
		resp, err := c.do(ctx, tt.method, tt.path, tt.body)
		if err == nil {
			resp.Body.Close()
		}
		if known := wantCode(t, err, tt.code); !strings.Contains(known.Error(), tt.says) {
			t.Errorf("%s %s: %q does not say %q", tt.method, tt.path, known, tt.says)
		}
	}
}

func TestNoDaemonIsSaid(t *testing.T) {
	t.Parallel()
	_, err := client(t, tempDir(t), "").Status(testContext(t))
	var none *NoDaemonError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "tomd start") {
		t.Errorf("error %v", err)
	}
}

func TestSocketIsPrivateAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s, stop := serve(t, Config{Backend: newMemory(), DataDir: dir})
	path := s.Addrs()[0]
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("socket: %v, %v", info, err)
	}
	stop()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket is still there: %v", err)
	}
}

func TestSecondDaemonIsRefusedAndStaleSocketReplaced(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	stale, err := net.Listen("unix", filepath.Join(dir, "api.sock"))
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	serve(t, Config{Backend: newMemory(), DataDir: dir})
	_, err = NewServer(Config{Backend: newMemory(), DataDir: dir})
	wantCode(t, err, CodeRefused)
	if _, err := client(t, dir, "").Status(testContext(t)); err != nil {
		t.Errorf("the first was disturbed: %v", err)
	}
}

func TestLongPathsMoveToTheRuntimeDirectory(t *testing.T) {
	runtimeDir := tempDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	dir := filepath.Join(tempDir(t), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, _ := serve(t, Config{Backend: newMemory(), DataDir: dir})
	if got := filepath.Dir(s.Addrs()[0]); got != filepath.Join(runtimeDir, "tom") {
		t.Errorf("socket is in %s", got)
	}
	if _, err := client(t, dir, "").Status(testContext(t)); err != nil {
		t.Error(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	_, err := SocketPath(dir)
	wantCode(t, err, CodeRefused)
}

func TestTCPNeedsTheToken(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s, stop := serve(t, Config{Backend: newMemory(), DataDir: dir, Addr: "127.0.0.1:0"})
	addr := s.Addrs()[1]
	if _, err := client(t, dir, addr).Status(testContext(t)); err != nil {
		t.Fatalf("with the token: %v", err)
	}
	token, err := readToken(dir)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, host, token, origin string
		status                    int
	}{
		{"right", addr, token, "", http.StatusOK},
		{"localhost", "localhost:80", token, "", http.StatusOK},
		{"none", addr, "", "", http.StatusUnauthorized},
		{"wrong", addr, token + "x", "", http.StatusUnauthorized},
		{"rebound name", "evil.example", token, "", http.StatusUnauthorized},
		{"web page", addr, token, "http://evil.example", http.StatusUnauthorized},
	}
	for _, tt := range tests {
		if got := tcpStatus(t, addr, tt.host, tt.token, tt.origin); got != tt.status {
			t.Errorf("%s: %d", tt.name, got)
		}
	}
	stop()
	if again, err := openToken(dir); err != nil || again != token {
		t.Errorf("the token changed: %v", err)
	}
	_, err = NewClient(tempDir(t), addr)
	wantCode(t, err, CodeUnauthorized)
}

func tcpStatus(t *testing.T, addr, host, token, origin string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), "GET", "http://"+addr+"/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+token)
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestStopAnswersWhenTheDaemonHasEnded(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	asked := make(chan struct{})
	_, end := serve(t, Config{Backend: newMemory(), DataDir: dir, Stop: func() { close(asked) }})
	c := client(t, dir, "")
	done := make(chan error, 1)
	go func() { done <- c.Stop(testContext(t)) }()
	<-asked
	select {
	case <-done:
		t.Error("stop answered before the end")
	case <-time.After(50 * time.Millisecond):
	}
	end()
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestDrainWaitsForRequestsAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	m, dir := newMemory(), tempDir(t)
	m.block = make(chan struct{})
	s, _ := serve(t, Config{Backend: m, DataDir: dir})
	c, ctx := client(t, dir, ""), testContext(t)
	streamed := make(chan error, 1)
	go func() {
		var last error
		for _, err := range c.Events(ctx, Latest) {
			last = err
		}
		streamed <- last
	}()
	connected := make(chan error, 1)
	go func() {
		_, err := c.Connect(ctx, "x")
		connected <- err
	}()
	waitFor(t, func() bool { return len(s.slots) == 1 })
	drained := make(chan struct{})
	go func() { s.Drain(); close(drained) }()
	var none *NoDaemonError
	if err := <-streamed; !errors.As(err, &none) {
		t.Errorf("stream: %v", err)
	}
	_, err := c.Status(ctx)
	wantCode(t, err, CodeStopping)
	close(m.block)
	if err := <-connected; err != nil {
		var known *Error // it may have come after the drain began
		if !errors.As(err, &known) || known.Code != CodeStopping {
			t.Errorf("request under way: %v", err)
		}
	}
	<-drained
}

// waitFor polls what no channel tells.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("never came true")
		case <-time.After(time.Millisecond):
		}
	}
}
