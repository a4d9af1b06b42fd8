package delivery

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols/envelope"
)

func TestSecrecyThatIsDemandedIsNotGivenUpWhenSealingFails(t *testing.T) {
	b := newBench(t)
	msg := b.message()
	msg.Sealed, msg.DemandsSecrecy = false, true
	b.accept(msg)
	asked := 0
	for range 3600 { // bob has published prekeys, but none that is good now
		b.m.PeerUp(b.now, bob, Path{})
		r := b.pass(time.Second)
		if asked == 0 {
			b.m.PrekeysKnown(b.now, bob)
			r = b.m.Ready()
		}
		for _, req := range r.Seal {
			if req.ToIdentity {
				t.Fatal("to be sealed to the identity key")
			}
			asked++
			b.m.SealFailed(b.now, req.ID, "no prekey")
		}
	}
	if asked < 5 || asked > 30 {
		t.Errorf("tried %d times in an hour", asked)
	}
	b.m.PrekeysKnown(b.now, bob)
	if r := b.m.Ready(); len(r.Seal) != 1 {
		t.Fatalf("with prekeys: %+v", r.Seal)
	}
	b.m.Sealed(b.now, msg.ID, envelope.Digest{1}, 600, true)
	b.wantSent(b.m.Ready(), msg)
}
