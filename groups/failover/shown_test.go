package failover_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// The hub of the largest group, whom all follow, says so in a frame that is taken, and
// shows what there is room for.
func TestTheHubOfTheLargestGroupMeetsAnother(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	signers := []protocols.Signer{alice, bob}
	for n := range uint32(wire.MaxMembers - 2) {
		seed := make([]byte, ed25519.SeedSize)
		binary.BigEndian.PutUint32(seed, n+1)
		signers = append(signers, protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(seed)))
	}
	var members []protocols.Key
	for _, s := range signers {
		members = append(members, s.Public())
	}
	cfg := config(t)
	cfg.Signer = alice
	cfg.Standing = func(_ time.Time, _ []protocols.Key, _ *failover.Branch, room int) (records [][]byte) {
		for ; room > 100; room -= 100 {
			records = append(records, make([]byte, 100-len(protocols.TagGroupRecord)-8))
		}
		return records
	}
	first, err := parse(c.first)
	if err != nil {
		t.Fatal(err)
	}
	m := failover.New(now, cfg, failover.Durable{Current: first}, false)
	m.Members(now, failover.Roster{Beat: 500 * time.Millisecond, Members: members})
	for _, s := range signers[2:] {
		place := wire.Place{Number: wire.MaxNumber, Primary: alice.Public(), Seq: 1 << 40}
		a := wire.Attach{Group: c.first.Group, Opened: c.first.Term().Opened, Last: place, Time: wire.Millis(now.UnixMilli())}
		parsed, err := wire.ParseAttach(protocols.Main, a.Sign(s))
		if err != nil {
			t.Fatal(err)
		}
		m.OnAttach(now, s.Public(), parsed)
	}
	rival, err := parse(c.promoted, c.second)
	if err != nil {
		t.Fatal(err)
	}
	m.Ready()
	m.OnMeet(now, protocols.Main, bob.Public(), rival, nil)
	for _, s := range m.Ready().Send {
		f, ok := s.Frame.(*wire.Meet)
		if !ok || s.To != bob.Public() {
			continue
		}
		b := wire.AppendFrame(nil, f)
		if _, err := wire.ParseHubFrame(protocols.Main, b); err != nil || len(b) > wire.MaxFrame || len(f.Evidence) < wire.MaxMembers-2 {
			t.Errorf("%d bytes with %d structures: %v", len(b), len(f.Evidence), err)
		}
		return
	}
	t.Error("it does not say who follows it")
}
