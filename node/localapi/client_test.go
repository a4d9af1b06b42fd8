package localapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestMessagesRoundTrip(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	ctx := testContext(t)
	sent, err := c.Send(ctx, Outgoing{To: "bob", Content: Content{Body: "<hi> & \u2028"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Message(ctx, sent.ID)
	if err != nil || m.To != "bob" || m.Reason != "text/plain <hi> & \u2028" || !m.Created.Equal(testTime.Time) {
		t.Errorf("message %+v, %v", m, err)
	}
	trace, err := c.Trace(ctx, sent.ID)
	if err != nil || len(trace.Attempts) != 1 || !trace.Next.IsZero() {
		t.Errorf("trace %+v, %v", trace, err)
	}
	receipt, err := c.Receipt(ctx, sent.ID)
	if err != nil || receipt.ID != sent.ID || string(receipt.Digest) != "\x01\x02" {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	_, err = c.Message(ctx, "../status")
	wantCode(t, err, CodeNotFound)
}

func TestNodeCallsRoundTrip(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	ctx := testContext(t)
	if id, err := c.Identity(ctx); err != nil || id.Link != "tom:peer/me" || id.Addrs == nil {
		t.Errorf("identity %+v, %v", id, err)
	}
	if s, err := c.Status(ctx); err != nil || s.Peers != 2 || len(s.Notices) != 1 {
		t.Errorf("status %+v, %v", s, err)
	}
	if p, err := c.Peers(ctx); err != nil || len(p) != 1 || p[0].RTTMS != 1.5 {
		t.Errorf("peers %+v, %v", p, err)
	}
	if p, err := c.Connect(ctx, "/ip4/1.2.3.4"); err != nil || p.ID != "/ip4/1.2.3.4" {
		t.Errorf("connect %+v, %v", p, err)
	}
}

func TestReachCallsRoundTrip(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	ctx := testContext(t)
	found, err := c.Find(ctx, "a/b")
	if err != nil || len(found) != 2 || found[0].Addrs[0] != "/dns4/a/b" || found[1].Addrs == nil || found[1].Error == "" {
		t.Errorf("found %+v, %v", found, err)
	}
	if m, err := c.Measured(ctx, "bob"); err != nil || m.ID != "bob" || len(m.Terms) != 1 || m.Used != testTime {
		t.Errorf("measured %+v, %v", m, err)
	}
	_, err = c.Measured(ctx, "nobody")
	wantCode(t, err, CodeUnknownPeer)
	if m, err := c.Mailbox(ctx); err != nil || m.Messages != 3 || !m.Offers {
		t.Errorf("mailbox %+v, %v", m, err)
	}
	if r, err := c.Relays(ctx); err != nil || len(r) != 1 || !r[0].Reserved || r[0].LatencyMS != 2.5 {
		t.Errorf("relays %+v, %v", r, err)
	}
	d, err := c.Doctor(ctx)
	if err != nil || d.UDP.Mapping != "endpoint-independent" || len(d.Ways) != 1 || d.PortMappings == nil || len(d.Findings) != 1 {
		t.Errorf("doctor %+v, %v", d, err)
	}
}

func TestContactsAreNamedByAnything(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	ctx := testContext(t)
	for _, name := range []string{"bob", "..", "a/b", "tom:peer/12D3?a=/ip4/1.2.3.4/tcp/1&n=b%20b", "é ✓", "50%"} {
		if _, err := c.AddContact(ctx, name, "first"); err != nil {
			t.Fatal(err)
		}
		if got, err := c.RenameContact(ctx, name, "second"); err != nil || got.Name != "second" {
			t.Errorf("rename %q: %+v, %v", name, got, err)
		}
		if got, err := c.Mute(ctx, name, true); err != nil || !got.Muted {
			t.Errorf("mute %q: %+v, %v", name, got, err)
		}
		if got, err := c.Mute(ctx, name, false); err != nil || got.Muted {
			t.Errorf("unmute %q: %+v, %v", name, got, err)
		}
		if got, err := c.RemoveContact(ctx, name); err != nil || got.ID != name {
			t.Errorf("remove %q: %+v, %v", name, got, err)
		}
		_, err := c.RemoveContact(ctx, name)
		wantCode(t, err, CodeUnknownPeer)
	}
	if got, err := c.Contacts(ctx); err != nil || len(got) != 0 {
		t.Errorf("contacts %+v, %v", got, err)
	}
}

func TestInboxPagesAndMarksRead(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	ctx := testContext(t)
	for i := range 5 {
		m.receive(fmt.Sprint(i))
	}
	var got []Cursor
	for page, err := range c.Inbox(ctx, InboxQuery{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Messages {
			got = append(got, row.Cursor)
		}
	}
	if !slices.Equal(got, []Cursor{1, 2, 3, 4, 5}) {
		t.Errorf("rows %v", got)
	}
	if err := c.MarkRead(ctx, got[:4]); err != nil {
		t.Fatal(err)
	}
	page, err := c.InboxPage(ctx, InboxQuery{Unread: true})
	if err != nil || len(page.Messages) != 1 || page.Cursor != 5 || page.More {
		t.Errorf("unread %+v, %v", page, err)
	}
}

func TestTalkIsReadBackPageByPage(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	ctx := testContext(t)
	for i := range 5 {
		m.receive(fmt.Sprint(i))
	}
	if talks, err := c.Talks(ctx); err != nil || len(talks.Talks) != 1 || talks.Talks[0].Unread != 5 || talks.Cursor != 5 {
		t.Errorf("talks %+v, %v", talks, err)
	}
	text, before := "", Cursor(0)
	for more := true; more; {
		page, err := c.Talk(ctx, "peer-bob", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range page.Words {
			text += w.Received.Body
		}
		before, more = page.Before, page.More
	}
	if text != "34120" {
		t.Errorf("pages %s", text)
	}
	if page, err := c.Talk(ctx, "peer-carol", 0, 0); err != nil || page.More || len(page.Words) != 0 {
		t.Errorf("nothing was said: %+v, %v", page, err)
	}
}

func TestInboxCursorTooOldGivesTheWholeInbox(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	for i := range 5 {
		m.receive(fmt.Sprint(i))
	}
	m.forget(3)
	for since, want := range map[Cursor]struct {
		gap  bool
		rows int
	}{0: {false, 5}, 2: {true, 5}, 3: {false, 2}, 5: {false, 0}, 6: {true, 5}} {
		page, err := c.InboxPage(testContext(t), InboxQuery{Since: since})
		if err != nil || page.Gap != want.gap || len(page.Messages) != want.rows {
			t.Errorf("since %d: gap %v, %d rows, %v", since, page.Gap, len(page.Messages), err)
		}
	}
}

func TestWaitMissesNoState(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	ctx := testContext(t)
	for range 50 {
		sent, err := c.Send(ctx, Outgoing{To: "bob"})
		if err != nil {
			t.Fatal(err)
		}
		go m.setState(sent.ID, Delivered)
		got, err := c.Wait(ctx, sent.ID, Sent, time.Minute)
		if err != nil || got.State != Delivered {
			t.Fatalf("waited for %+v, %v", got, err)
		}
	}
}

func TestWaitEndsWhenNothingMoreCanCome(t *testing.T) {
	t.Parallel()
	m, c := start(t)
	ctx := testContext(t)
	sent, err := c.Send(ctx, Outgoing{To: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Wait(ctx, sent.ID, Sent, time.Millisecond); err != nil || got.State != Queued {
		t.Errorf("timeout: %+v, %v", got, err)
	}
	m.setState(sent.ID, Failed)
	if got, err := c.Wait(ctx, sent.ID, Read, time.Minute); err != nil || got.State != Failed {
		t.Errorf("failed: %+v, %v", got, err)
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Wait(short, sent.ID, Read, time.Minute); err != context.Canceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestWaitOutlivesARestartOfTheDaemon(t *testing.T) {
	t.Parallel()
	m, dir := newMemory(), tempDir(t)
	s, stop := serve(t, Config{Backend: m, DataDir: dir})
	c, ctx := client(t, dir, ""), testContext(t)
	sent, err := c.Send(ctx, Outgoing{To: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan State, 1)
	go func() {
		got, err := c.Wait(ctx, sent.ID, Delivered, 20*time.Second)
		if err != nil {
			t.Errorf("wait: %v", err)
		}
		done <- got.State
	}()
	waitFor(t, func() bool { return len(s.slots) == 1 })
	stop()
	m.setState(sent.ID, Delivered)
	serve(t, Config{Backend: m, DataDir: dir})
	if got := <-done; got != Delivered {
		t.Errorf("state %s", got)
	}
}

func TestFollowOutlivesARestartOfTheDaemon(t *testing.T) {
	t.Parallel()
	m, dir := newMemory(), tempDir(t)
	_, stop := serve(t, Config{Backend: m, DataDir: dir})
	c := client(t, dir, "")
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	var got []string
	var at Cursor
	begun := 0
	c.Follow(ctx, Follower{
		Begin: func(context.Context) (Cursor, error) {
			if begun++; begun == 1 {
				m.receive("before")
				return at, nil
			}
			_, err := c.Status(ctx)
			return at, err
		},
		Event: func(e Event) {
			at = e.Cursor
			if got = append(got, e.Message.Body); len(got) == 1 {
				stop()
				m.receive("meanwhile")
			} else {
				cancel()
			}
		},
		Away: func(err error) {
			if none := (*NoDaemonError)(nil); !errors.As(err, &none) {
				t.Errorf("away: %v", err)
			}
			if begun == 2 { // it has tried in vain
				serve(t, Config{Backend: m, DataDir: dir})
			}
		},
	})
	if !slices.Equal(got, []string{"before", "meanwhile"}) || begun != 3 {
		t.Errorf("%q, begun %d times", got, begun)
	}
}
