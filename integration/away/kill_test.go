package away

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// TestKilledHoldersLoseNothing kills holders with SIGKILL at random moments
// while they store, and starts them again: every message that its sender was
// told is stored reaches its recipient once, although the sender is gone then.
func TestKilledHoldersLoseNothing(t *testing.T) {
	const messages = 60
	w := newTown(t, 4*time.Minute)
	var keepers []*proc.Daemon
	for i := range 4 {
		keepers = append(keepers, w.Start(fmt.Sprintf("keeper%d", i)))
	}
	alice, bob := w.Start("alice"), w.Start("bob")
	w.send(alice, bob.Link, "before", localapi.Delivered)
	w.until("alice knows everybody", 30*time.Second, func() bool {
		s, err := alice.Client.Status(w.ctx)
		return err == nil && s.Peers >= 5
	})
	bob.Kill()

	rng := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	var ids []string
	for i := range messages {
		accepted, err := alice.Client.Send(w.ctx, localapi.Outgoing{
			To: bob.ID, Content: localapi.NewContent("", fmt.Appendf(nil, "message %d", i)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, accepted.ID)
		if i%10 == 9 {
			<-time.After(time.Duration(rng.Int64N(int64(1500 * time.Millisecond)))) // any moment will do
			n := rng.IntN(len(keepers))
			keepers[n].Kill()
			again, err := keepers[n].Again(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			keepers[n] = again
		}
	}
	for _, id := range ids {
		if m, err := alice.Client.Wait(w.ctx, id, localapi.Stored, time.Minute); err != nil || m.State != localapi.Stored {
			trace, _ := alice.Client.Trace(w.ctx, id)
			t.Fatalf("%s is %s, %v: %+v", id, m.State, err, trace)
		}
	}
	alice.Kill()
	for i, k := range keepers { // one after the other, all of them
		k.Kill()
		again, err := k.Again(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		keepers[i] = again
	}
	again, err := bob.Again(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	bob = again
	took := w.until("bob has all of them", 30*time.Second, func() bool { return len(w.inbox(bob)) == messages+1 })
	t.Logf("all %d received %v after the start", messages, took.Round(time.Millisecond))
	for text, rows := range w.inbox(bob) {
		if len(rows) != 1 {
			t.Errorf("%q is there %d times", text, len(rows))
		}
	}
	w.until("nobody keeps them any more", time.Minute, func() bool {
		left := 0
		for _, k := range keepers {
			left += w.mailbox(k).Messages
		}
		return left <= 3*messages/10 // but the receipts for alice, who is gone, in their envelopes
	})
}
