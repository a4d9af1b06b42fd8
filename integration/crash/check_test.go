package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func keysOf(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// each calls f for every id, a few at a time, and fails at the first error.
func (s *storm) each(ctx context.Context, ids []string, f func(ctx context.Context, id string) error) {
	s.t.Helper()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.senders)
	for _, id := range ids {
		g.Go(func() error { return f(ctx, id) })
	}
	if err := g.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *storm) awaitDelivered(ctx context.Context, ids []string) {
	s.t.Helper()
	d := s.running(ctx, s.alice)
	s.each(ctx, ids, func(ctx context.Context, id string) error {
		m, err := d.Client.Wait(ctx, id, localapi.Delivered, s.patience)
		if err == nil && m.State != localapi.Delivered {
			trace, _ := d.Client.Trace(ctx, id)
			err = fmt.Errorf("it is %s (%s): %+v", m.State, m.Reason, trace)
		}
		if err != nil {
			return fmt.Errorf("wait for %s: %w", id, err)
		}
		return nil
	})
}

func (s *storm) running(ctx context.Context, v *victim) *proc.Daemon {
	s.t.Helper()
	d, err := v.living(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// checkInbox wants every accepted message once, with its body, and nothing else
// but messages that were sent and not answered, once too; it returns their ids.
func (s *storm) checkInbox(ctx context.Context) (extra []string) {
	s.t.Helper()
	inbox := map[string]string{}
	bodies := map[string]bool{}
	for page, err := range s.running(ctx, s.bob).Client.Inbox(ctx, localapi.InboxQuery{Limit: localapi.MaxPage}) {
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range page.Messages {
			if _, twice := inbox[m.ID]; twice || bodies[m.Body] {
				s.t.Errorf("%s %.20q is in the inbox twice", m.ID, m.Body)
			}
			inbox[m.ID], bodies[m.Body] = m.Body, true
		}
	}
	for id, body := range s.accepted {
		if got, ok := inbox[id]; !ok || got != body {
			s.t.Errorf("accepted as %s: %.20q; in the inbox: %.20q", id, body, got)
		}
		delete(inbox, id)
	}
	for id, body := range inbox {
		if !s.unanswered[body] {
			s.t.Errorf("%s %.20q is in the inbox, and nobody sent it", id, body)
		}
		extra = append(extra, id)
	}
	return extra
}

// checkReceipts verifies the receipt of every message.
func (s *storm) checkReceipts(ctx context.Context, ids []string) {
	s.t.Helper()
	alice := s.running(ctx, s.alice)
	n := notary{author: key(s.t, alice.ID), by: key(s.t, s.running(ctx, s.bob).ID)}
	s.each(ctx, ids, func(ctx context.Context, id string) error {
		r, err := alice.Client.Receipt(ctx, id)
		if err == nil {
			err = n.check(r)
		}
		if err != nil {
			return fmt.Errorf("receipt of %s: %w", id, err)
		}
		return nil
	})
}

func key(t *testing.T, id string) protocols.Key {
	p, err := peer.Decode(id)
	if err != nil {
		t.Fatal(err)
	}
	k, err := identity.KeyOf(p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// notary verifies receipts, each signature once.
type notary struct {
	author, by protocols.Key

	mu   sync.Mutex
	seen map[string]*ack.Receipt // by its bytes
}

func (n *notary) check(file localapi.Receipt) error {
	r, err := n.parse(file)
	if err != nil {
		return err
	}
	id, err := envelope.ParseID(file.ID)
	if err != nil {
		return err
	}
	entry := ack.Entry{ID: id, Digest: [16]byte(file.Digest)}
	if r.Kind != ack.Delivered || r.From != n.by || r.To != n.author || !slices.Contains(r.Entries, entry) {
		return fmt.Errorf("it says something else: %+v", r)
	}
	return nil
}

func (n *notary) parse(file localapi.Receipt) (*ack.Receipt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.seen[string(file.Receipt)]; r != nil {
		return r, nil
	}
	r, err := ack.Parse(protocols.Network(file.Network), file.Receipt)
	if err != nil {
		return nil, err
	}
	if n.seen == nil {
		n.seen = map[string]*ack.Receipt{}
	}
	n.seen[string(file.Receipt)] = r
	return r, nil
}

// checkSample verifies some receipts as a third party does, with the command
// line and a data directory that has nothing in it.
func (s *storm) checkSample(ctx context.Context) {
	s.t.Helper()
	alice, bob := s.running(ctx, s.alice), s.running(ctx, s.bob)
	third := proctest.New(s.t)
	ids := keysOf(s.accepted)
	r := rand.New(rand.NewPCG(s.seed, 3))
	for range 5 {
		id := ids[r.IntN(len(ids))]
		file, err := alice.Output(ctx, "receipt", "export", id)
		if err != nil {
			s.t.Fatal(err)
		}
		says, err := third.Run(ctx, "nobody", file, "receipt", "verify", "-")
		if err != nil {
			s.t.Fatal(err)
		}
		if says.Code != 0 || !containsAll(says.Out, "valid: message "+id, alice.ID, "delivered", bob.ID) {
			s.t.Errorf("tomd receipt verify of %s: %+v", id, says)
		}
	}
}

func containsAll(s string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(s, part) })
}
