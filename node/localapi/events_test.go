package localapi

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// take reads n events after since.
func take(t *testing.T, c *Client, since Cursor, n int) []Event {
	t.Helper()
	var got []Event
	for e, err := range c.Events(testContext(t), since) {
		if err != nil {
			t.Fatalf("after %d events: %v", len(got), err)
		}
		if got = append(got, e); len(got) == n {
			break
		}
	}
	return got
}

func TestEventsResumeAfterTheCursor(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	for i := range 3 * eventBatch {
		m.receive(fmt.Sprint(i))
	}
	at := Cursor(0)
	for _, n := range []int{1, 100, 91} {
		for _, e := range take(t, c, at, n) {
			if e.Cursor != at+1 || e.Kind != EventReceived || e.Message.Body != fmt.Sprint(at) {
				t.Fatalf("after %d came %+v", at, e)
			}
			at = e.Cursor
		}
	}
}

func TestEventsFollowWhatComes(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	m.receive("before")
	n := 0
	for e, err := range c.Events(testContext(t), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(n - 1); n > 0 && e.Message.Body != want {
			t.Fatalf("came %q, want %q", e.Message.Body, want)
		}
		if n++; n == 20 {
			break
		}
		m.receive(fmt.Sprint(n - 1))
	}
}

func TestLatestStartsNow(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	m.receive("before")
	enough, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-enough:
				return
			case <-time.After(time.Millisecond):
				m.receive("after")
			}
		}
	}()
	if got := take(t, c, Latest, 1); got[0].Message.Body != "after" {
		t.Errorf("came %+v", got)
	}
	close(enough)
	<-done
}

func TestOldCursorGetsAGapAndTheCurrentState(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	for i := range 6 {
		m.receive(fmt.Sprint(i + 1))
	}
	m.forget(4)
	for _, since := range []Cursor{0, 3, 99} {
		got := take(t, c, since, 7)
		if !got[0].Gap || got[0].Status == nil || got[0].Cursor != 0 {
			t.Errorf("since %d: first came %+v", since, got[0])
		}
		for i, e := range got[1:] {
			if e.Cursor != Cursor(i+1) || e.Message.Body != fmt.Sprint(i+1) {
				t.Errorf("since %d: then came %+v", since, e)
			}
		}
	}
	if got := take(t, c, 4, 2); got[0].Gap || got[0].Cursor != 5 {
		t.Errorf("a cursor still known: %+v", got)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	m, dir := newMemory(), tempDir(t)
	s, _ := serve(t, Config{Backend: m, DataDir: dir})
	for range maxStreams {
		conn, err := net.Dial("unix", s.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /v1/events HTTP/1.1\r\nHost: tomd\r\n\r\n")
	}
	waitFor(t, func() bool { return len(s.slots) == maxStreams })
	for _, err := range client(t, dir, "").Events(testContext(t), Latest) {
		wantCode(t, err, CodeBusy)
	}
}

func TestEventStreamAsBytes(t *testing.T) {
	t.Parallel()
	m, dir := newMemory(), tempDir(t)
	s, _ := serve(t, Config{Backend: m, DataDir: dir})
	m.setState("x", Sent)
	m.forget(0)
	conn, err := net.Dial("unix", s.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /v1/events HTTP/1.0\r\nHost: tomd\r\nLast-Event-ID: 0\r\n\r\n")
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.HasSuffix(got.String(), "}\n\n") {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
	}
	_, body, _ := strings.Cut(got.String(), "\r\n\r\n")
	want := "id: 1\nevent: state\ndata: " + `{"cursor":1,"kind":"state","at":"2026-03-04T05:06:07.089Z","id":"x","state":"sent"}` + "\n\n"
	if body != want {
		t.Errorf("stream is %q, want %q", body, want)
	}
}

func TestReadEventsToleratesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	var got []Event
	in := ": comment\nretry: 5\n\nid: 7\nevent: new\ndata: {\"cursor\":7,\"kind\":\"new\",\"more\":1}\n\ndata: {\"cursor\":8}\n\ndata: {"
	err := readEvents(strings.NewReader(in), func(e Event) bool {
		got = append(got, e)
		return true
	})
	if err == nil || errors.Is(err, net.ErrClosed) || len(got) != 2 || got[1].Cursor != 8 {
		t.Errorf("events %+v, %v", got, err)
	}
}
