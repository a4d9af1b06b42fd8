package hostile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// living is a node that runs.
type living struct {
	*node.Node
	t    *testing.T
	stop func()
}

// run runs a node on loopback until the test ends, or stop.
func run(t *testing.T, cfg node.Config) *living {
	t.Helper()
	cfg.Local, cfg.NoRendezvous = true, true
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	l := &living{Node: n, t: t}
	l.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(l.stop)
	return l
}

// scene is two honest nodes that have met, and what the honest one of them is
// doing while the other is attacked.
type scene struct {
	t          *testing.T
	alice, bob *living
	sent       int
}

// newScene starts the two; bob is the victim.
func newScene(t *testing.T, bob node.Config) *scene {
	t.Helper()
	t.Parallel()
	s := &scene{t: t, alice: run(t, node.Config{Name: "alice"}), bob: run(t, bob)}
	s.honest()
	return s
}

// honest sends a message each way and wants both delivered, and received once.
func (s *scene) honest() {
	s.t.Helper()
	s.sent++
	text := fmt.Sprintf("honest %d", s.sent)
	ids := [2]node.MessageID{s.alice.accept(s.bob.Link(), text), s.bob.accept(s.alice.Link(), text)}
	s.alice.delivered(ids[0])
	s.bob.delivered(ids[1])
	if n := s.bob.count(s.alice.Key(), text); n != 1 {
		s.t.Fatalf("bob has %q %d times", text, n)
	}
	if n := s.alice.count(s.bob.Key(), text); n != 1 {
		s.t.Fatalf("alice has %q %d times", text, n)
	}
}

func (l *living) accept(to, text string) node.MessageID {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	id, err := l.Send(ctx, to, node.Text(text))
	if err != nil {
		l.t.Fatal(err)
	}
	return id
}

func (l *living) delivered(id node.MessageID) { l.reaches(id, node.Delivered) }

// errSeen ends a reading of events.
var errSeen = errors.New("seen")

// reaches waits until a message has come to exactly a state, and the event that
// says so is there: states are written behind.
func (l *living) reaches(id node.MessageID, want node.State) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	st, err := l.Wait(ctx, id, want)
	if err == nil && st.State == want {
		err = l.Events(ctx, 0, func(e node.Event) error {
			if e.Kind == node.StateChanged && e.ID == st.ID && e.State == want {
				return errSeen
			}
			return nil
		})
	}
	if !errors.Is(err, errSeen) {
		tr, _ := l.Trace(context.Background(), id)
		l.t.Fatalf("state %v, %v; trace %+v", st.State, err, tr)
	}
}

func (l *living) status(id node.MessageID) node.Status {
	l.t.Helper()
	st, err := l.Status(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return st
}

// count is how many messages with a text came from a peer.
func (l *living) count(from node.Peer, text string) (n int) {
	l.t.Helper()
	for _, r := range l.inbox() {
		if r.From == from && string(r.Body) == text {
			n++
		}
	}
	return n
}

func (l *living) inbox() []node.Received {
	l.t.Helper()
	rows, err := l.Inbox(node.Query{})
	if err != nil {
		l.t.Fatal(err)
	}
	return rows
}

// events are the kinds of all that has happened, but for peers that come and go:
// those may come late.
func (l *living) events() (kinds []node.EventKind) {
	l.t.Helper()
	oldest, newest, err := l.API().Cursors(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	if newest == oldest {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Second) // for not every event is shown
	defer cancel()
	all := errors.New("that is all")
	err = l.Events(ctx, node.Cursor(oldest), func(e node.Event) error {
		if e.Kind != node.PeerChanged && e.Kind != node.Gap {
			kinds = append(kinds, e.Kind)
		}
		if e.Cursor >= node.Cursor(newest) {
			return all
		}
		return nil
	})
	if !errors.Is(err, all) && !errors.Is(err, context.DeadlineExceeded) {
		l.t.Fatal(err)
	}
	return kinds
}

// view is all that a user sees of a node: what happened, the inbox, the messages
// sent.
func (l *living) view(sent ...node.MessageID) string {
	l.t.Helper()
	view := fmt.Sprintf("events %v\ncontacts %v\n", l.events(), l.Contacts())
	for _, r := range l.inbox() {
		view += fmt.Sprintf("%d %v from %x: %q, read %v, stranger %v\n", r.Cursor, r.ID, r.From[:4], r.Body, r.Read, r.Stranger)
	}
	for _, id := range sent {
		st := l.status(id)
		view += fmt.Sprintf("%v to %x: %v, %q\n", st.ID, st.To[:4], st.State, st.Reason)
	}
	return view
}

// unchanged wants a node to look as before.
func (l *living) unchanged(before string, sent ...node.MessageID) {
	l.t.Helper()
	if now := l.view(sent...); now != before {
		l.t.Fatalf("the node looked so:\n%s\nand now so:\n%s", before, now)
	}
}

// counter sums up one of the node's counters over all labels, or those with
// one of the given values.
func (l *living) counter(name string, labels ...string) (sum float64) {
	l.t.Helper()
	families, err := l.Metrics().Gather()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			match := len(labels) == 0
			for _, pair := range m.GetLabel() {
				match = match || slices.Contains(labels, pair.GetValue())
			}
			if match {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// message seals a text, without a proof.
func (a *author) message(t *testing.T, to envelope.Recipient, text string) *envelope.Envelope {
	t.Helper()
	return a.draft(t, to, envelope.NewID(time.Now()), time.Now(), text)
}

func (a *author) draft(t *testing.T, to envelope.Recipient, id envelope.ID, created time.Time, text string) *envelope.Envelope {
	t.Helper()
	c := message.Content{Type: node.TextType, Number: 1, Body: []byte(text)}
	e, err := a.sealer.Seal(to, id, created, envelope.MaxLifetime, c.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// signed is message with a plain proof of the author's.
func (a *author) signed(t *testing.T, to envelope.Recipient, text string) *envelope.Envelope {
	t.Helper()
	e := a.message(t, to, text)
	envelope.Sign(a.Signer, []*envelope.Envelope{e})
	return e
}

func entry(id envelope.ID, d envelope.Digest) ack.Entry { return ack.Entry{ID: id, Digest: d.Short()} }

// receipt is signed by the author, whoever it is for.
func (a *author) receipt(kind ack.Kind, to protocols.Key, at time.Time, entries ...ack.Entry) []byte {
	return ack.Sign(a.Signer, ack.Receipt{Kind: kind, To: to, Time: uint64(at.UnixMilli()), Entries: entries})
}

func receiptFrame(receipts ...[]byte) []byte { return ack.Frame{Receipts: receipts}.Append(nil) }
