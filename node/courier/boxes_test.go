package courier

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// A box is opened by whom it is for, within its life; nothing of it is in the outbox,
// and nothing is made for those whose prekeys are not known.
func TestBoxes(t *testing.T) {
	t.Parallel()
	alice, _ := running(t)
	var later atomic.Int64
	bob := runningWith(t, func(cfg *Config) {
		cfg.Lines = desert{make(chan protocols.Key, 1024)}
		cfg.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	carol, _ := running(t)
	stranger, _ := running(t)
	known := []protocols.Key{bob.me, carol.me}
	for _, c := range []*Courier{bob, carol} {
		record, err := c.Prekeys.Record(c.Signer)
		if err != nil {
			t.Fatal(err)
		}
		alice.LearnPrekeys(c.me, record)
		if string(alice.PrekeysOf(c.me)) != string(record) {
			t.Error("the prekeys that were learnt are not told")
		}
	}
	if alice.PrekeysOf(stranger.me) != nil {
		t.Error("prekeys of one who told none")
	}
	room := alice.Store.OutboxRoom()
	boxes := alice.Box(append(known, stranger.me), message.TypeSenderKey, []byte("a key"), time.Minute)
	if len(boxes) != 2 || alice.Store.OutboxRoom() != room {
		t.Fatalf("%d boxes, %d of the outbox taken", len(boxes), room-alice.Store.OutboxRoom())
	}
	e, err := envelope.Parse(boxes[bob.me])
	if err != nil || bob.verifier.Verify(e) != nil || e.PrekeyID().Identity() {
		t.Fatalf("%v, by prekey %v", err, e.PrekeyID())
	}
	if kind, body, err := bob.Unbox(e); err != nil || kind != message.TypeSenderKey || string(body) != "a key" {
		t.Errorf("%q %q %v", kind, body, err)
	}
	if _, _, err := carol.Unbox(e); err == nil {
		t.Error("another opened it")
	}
	later.Store(int64(2 * time.Minute))
	if _, _, err := bob.Unbox(e); err == nil {
		t.Error("it was opened after its life")
	}
}
