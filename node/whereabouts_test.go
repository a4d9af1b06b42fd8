package node_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
)

// find returns what each source says of a peer.
func (s session) find(t *testing.T, name string) map[string]node.Answer {
	t.Helper()
	_, answers, err := s.Find(deadline(t), name)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]node.Answer)
	for a := range answers {
		all[a.Source] = a
	}
	return all
}

func TestFriendsTellEachOtherWhereTheyAre(t *testing.T) {
	t.Parallel()
	alice, bob, eve := run(t, node.Config{}), run(t, node.Config{}), run(t, node.Config{})
	eve.connect(t, bob)
	if _, err := alice.AddContact(bob.Link(), "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.AddContact(alice.Link(), "alice"); err != nil {
		t.Fatal(err)
	}
	alice.connect(t, bob)
	wait(t, "bob tells alice where he is", func() bool { return len(alice.find(t, bob.ID())["presence"].Addrs) > 0 })
	if got := eve.find(t, bob.ID())["presence"]; got.Err == nil {
		t.Errorf("a stranger was told: %+v", got)
	}
	if got := alice.find(t, bob.ID())["addressbook"]; got.Err != nil {
		t.Errorf("the address book: %v", got.Err)
	}
}

// wait waits until something holds.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for ctx := deadline(t); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatal("not in time: " + what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
