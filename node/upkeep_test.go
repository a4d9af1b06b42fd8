package node

import (
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

func TestUpkeepDestroysWhatIsOverItsEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	n, err := New(Config{Local: true, NoRendezvous: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()

	end := now.Add(time.Minute)
	row := &store.Incoming{
		ID: envelope.NewID(now), From: protocols.Key{1}, Created: now, End: end, Received: now,
		Content: make([]byte, 64<<10),
	}
	done := make(chan error, 1)
	n.store.Receive([]*store.Incoming{row}, func(_ store.Cursor, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	shredded, err := n.vault.Shred(end, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	prekey := n.prekeyNow(t)
	full := n.store.Size()

	now = now.Add(3 * time.Minute)
	n.expire()
	if size := n.store.Size(); size > full-64<<10 {
		t.Errorf("the store takes %d bytes, and took %d with the message", size, full)
	}
	if _, err := n.vault.Unshred(end, shredded); !errors.Is(err, identity.ErrShredded) {
		t.Errorf("a body past its end: %v", err)
	}
	if _, _, err := n.vault.Agree(prekey, [32]byte{9}); err != nil {
		t.Errorf("today's prekey: %v", err)
	}

	now = now.Add(3 * 24 * time.Hour)
	n.expire()
	if _, _, err := n.vault.Agree(prekey, [32]byte{9}); !errors.Is(err, identity.ErrNoPrekey) {
		t.Errorf("a prekey past its time: %v", err)
	}
	if n.prekeyNow(t) == prekey {
		t.Error("the prekeys are those of three days ago")
	}
}

// prekeyNow is the prekey that others would seal to now.
func (n *Node) prekeyNow(t *testing.T) envelope.PrekeyID {
	t.Helper()
	raw := n.hello(n.Key()).Prekeys
	r, err := prekeys.Parse(n.cfg.network, raw, n.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	to, ok := r.Choose(n.clock.Now())
	if !ok {
		t.Fatal("no prekey for today")
	}
	return to.Prekey
}
