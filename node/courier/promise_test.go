package courier

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// ear is where everybody is connected, and receipts are heard.
type ear struct {
	desert
	acks chan []byte
}

func (ear) Connected(protocols.Key) bool { return true }

func (e ear) SendAck(_ protocols.Key, frame []byte) error {
	e.acks <- frame
	return nil
}

// wantRead waits for a read receipt that names the message.
func (e ear) wantRead(t *testing.T, id envelope.ID) {
	t.Helper()
	select {
	case frame := <-e.acks:
		f, err := ack.ParseFrame(frame)
		if err != nil || len(f.Receipts) != 1 {
			t.Fatalf("frame of %d receipts, %v", len(f.Receipts), err)
		}
		r, err := ack.Parse(protocols.Main, f.Receipts[0])
		if err != nil || r.Kind != ack.Read || len(r.Entries) != 1 || r.Entries[0].ID != id {
			t.Fatalf("receipt %+v, %v", r, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no receipt")
	}
}

func TestReadReceiptGoesOutAgainWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lines := ear{desert{make(chan protocols.Key, 16)}, make(chan []byte, 16)}
		c := runningOn(t, lines, func() bool { return false })
		author, now := somebody(t).Public(), time.Now()
		row := &store.Incoming{
			ID: envelope.NewID(now), From: author, Created: now, End: now.Add(time.Hour), Received: now,
			Content: message.Content{Type: "text/plain", Body: []byte("hello")}.AppendUnpadded(nil),
		}
		done := make(chan error, 1)
		c.Store.Receive([]*store.Incoming{row}, func(_ store.Cursor, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := c.MarkRead([]store.Cursor{row.Cursor}); err != nil {
			t.Fatal(err)
		}
		lines.wantRead(t, row.ID)
		c.PeerDown(author)
		lines.wantRead(t, row.ID)
		c.PeerDown(author)
		lines.wantRead(t, row.ID) // that one may have been lost as well
		virtual.Pass(2 * readDoubt)
		c.PeerDown(author)
		virtual.Pass(time.Minute)
		if len(lines.acks) > 0 {
			t.Error("a receipt that surely arrived went out again")
		}
	})
}

func TestNothingIsExpiredWhileTheClockIsInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var doubt atomic.Bool
		doubt.Store(true)
		c := runningOn(t, desert{make(chan protocols.Key, 1024)}, doubt.Load)
		id, err := c.Send(t.Context(), Draft{To: somebody(t).Public(), Type: "text/plain", Lifetime: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		want := func(s delivery.State) {
			t.Helper()
			if r, err := c.Status(t.Context(), id); err != nil || r.State != s {
				t.Errorf("state %v, %v, want %v", r.State, err, s)
			}
		}
		virtual.Pass(time.Hour)
		want(delivery.Queued)
		doubt.Store(false)
		virtual.Pass(3 * time.Minute)
		want(delivery.Expired)
	})
}

func TestMessageOfTheLastRunIsSealedAtOnceIfPrekeysAreAtHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := runningOn(t, desert{make(chan protocols.Key, 1024)}, func() bool { return false })
		bob := somebody(t)
		vault, err := identity.OpenVault("", bob, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		record, err := vault.Record(bob.Signer(protocols.Main))
		if err != nil {
			t.Fatal(err)
		}
		c.LearnPrekeys(bob.Public(), record)

		now := time.Now().Truncate(time.Millisecond)
		row := &store.Outgoing{
			ID: envelope.NewID(now), To: bob.Public(), Created: now, Lifetime: time.Hour,
			Content: message.Content{Type: "text/plain", Number: 1}.AppendUnpadded(nil),
		}
		done := make(chan error, 1)
		c.Store.Accept([]*store.Outgoing{row}, func(_ store.Cursor, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := c.resume(); err != nil {
			t.Fatal(err)
		}
		virtual.Pass(prekeyPatience / 2)
		if out, err := c.Store.Load(row.ID); err != nil || len(out.Envelope) == 0 || !out.ForwardSecret {
			t.Errorf("not sealed to the prekeys that are at hand: %v", err)
		}
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	})
}

// prekeyPatience is how long a message waits for prekeys that are not at hand.
const prekeyPatience = 3 * time.Second

// outbox is where everybody is connected, and what goes out is kept.
type outbox struct {
	desert
	sent chan []byte
}

func (outbox) Connected(protocols.Key) bool { return true }

func (o outbox) SendEnvelope(_ protocols.Key, frame []byte, written func(error)) error {
	o.sent <- frame
	written(nil)
	return nil
}

// Who opens a message at once signs twice within moments: both receipts may be
// judged before what the first led to is saved.
func TestAMessageIsReadThoughItWasDeliveredAMomentBefore(t *testing.T) {
	t.Parallel()
	for _, order := range [][]ack.Kind{{ack.Delivered, ack.Read}, {ack.Read, ack.Delivered}, {ack.Read}} {
		synctest.Test(t, func(t *testing.T) {
			lines := outbox{desert{make(chan protocols.Key, 16)}, make(chan []byte, 16)}
			c := runningOn(t, lines, func() bool { return false })
			bob := somebody(t)
			c.LearnPrekeys(bob.Public(), prekeysOf(bob, time.Now(), 9))
			c.PeerUp(bob.Public(), delivery.Path{})
			id, err := c.Send(t.Context(), Draft{To: bob.Public(), Type: "text/plain", Body: []byte("hello")})
			if err != nil {
				t.Fatal(err)
			}
			e, err := envelope.Parse(<-lines.sent)
			if err != nil {
				t.Fatal(err)
			}
			c.mail.put(func(m *delivery.Machine, now time.Time) {
				for _, kind := range order {
					r := &ack.Receipt{
						Kind: kind, From: bob.Public(), To: c.me, Time: uint64(now.UnixMilli()),
						Entries: []ack.Entry{{ID: id, Digest: e.Digest().Short()}},
					}
					c.receiptCame(m, now, r, ack.Sign(bob.Signer(protocols.Main), *r))
				}
			})
			virtual.Pass(time.Second)
			if st, err := c.Store.Status(id); err != nil || st.State != delivery.Read {
				t.Errorf("after receipts %v: %+v, %v", order, st, err)
			}
		})
	}
}
