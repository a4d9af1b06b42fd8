package worlds

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

const (
	total = 300 // messages of one test
	kills = 3
)

// bodies says how often each text is in an inbox.
func (l living) bodies(t *testing.T) map[string]int {
	t.Helper()
	rows, err := l.Inbox(node.Query{})
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[string]int)
	for _, r := range rows {
		n[string(r.Body)]++
	}
	return n
}

// once wants each text exactly once.
func (l living) once(t *testing.T, texts []string) {
	t.Helper()
	have := l.bodies(t)
	for _, text := range texts {
		if have[text] != 1 {
			t.Errorf("%q is there %d times", text, have[text])
		}
		delete(have, text)
	}
	if len(have) > 0 {
		t.Errorf("and there are %q", slices.Sorted(maps.Keys(have)))
	}
}

// verify wants a receipt that the recipient has signed for exactly a message.
func (l living) verify(t *testing.T, id node.MessageID, by node.Peer) {
	t.Helper()
	st, raw, err := l.Receipt(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ack.Parse(protocols.Main, raw)
	if err != nil || r.From != by || r.To != l.Key() || r.Kind != ack.Delivered {
		t.Fatalf("receipt %+v: %v", r, err)
	}
	if !slices.Contains(r.Entries, ack.Entry{ID: st.ID, Digest: st.Digest.Short()}) {
		t.Fatalf("the receipt does not speak of %v", st.ID)
	}
}

func TestRecipientKilledInTheMiddleLosesNothingItSignedFor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	dir := t.TempDir()
	alice, bob := run(t, node.Config{DataDir: t.TempDir()}), spawn(t, dir)
	to, err := alice.Resolve(bob.link)
	if err != nil {
		t.Fatal(err)
	}
	var ids []node.MessageID
	var texts []string
	for i := range total {
		texts = append(texts, fmt.Sprintf("message %d", i))
		id, err := alice.SendTo(ctx, to, node.Text(texts[i]))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		if i%(total/kills) == total/kills/2 {
			alice.wait(t, ctx, ids[i/2]) // it is in the middle of receiving the others
			bob.kill()
			bob = spawn(t, dir)
		}
	}
	for _, id := range ids {
		alice.wait(t, ctx, id)
	}
	bob.kill()
	for _, id := range ids {
		alice.verify(t, id, to)
	}
	run(t, node.Config{DataDir: dir}).once(t, texts)
}

func TestSenderKilledInTheMiddleKeepsWhatItAccepted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	dir := t.TempDir()
	bob, alice := run(t, node.Config{DataDir: t.TempDir()}), spawn(t, dir)
	var ids []node.MessageID
	var texts []string
	for i := range total {
		text := fmt.Sprintf("message %d", i)
		if _, err := fmt.Fprintf(alice.in, "%s %s\n", bob.Link(), text); err != nil {
			t.Fatal(err)
		}
		s, err := alice.hear()
		if err != nil {
			t.Fatal(err)
		}
		id, err := envelope.ParseID(s.Accepted)
		if err != nil {
			t.Fatal(err)
		}
		ids, texts = append(ids, id), append(texts, text)
		if i%(total/kills) == total/kills/2 {
			alice.kill()
			alice = spawn(t, dir)
		}
	}
	alice.kill()
	last := run(t, node.Config{DataDir: dir})
	if _, err := last.Connect(ctx, bob.Link()); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		last.wait(t, ctx, id)
		last.verify(t, id, bob.Key())
	}
	bob.once(t, texts)
}
