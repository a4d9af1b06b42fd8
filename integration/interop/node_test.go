package interop

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"go/build"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/tom-protocol/tom/integration/interop/bare"
	"github.com/tom-protocol/tom/node"
)

// networks are with and without a prefix in protocol ids.
var networks = []string{"main", "interop"}

// meeting is a node of ours and a peer that shares no code with it.
type meeting struct {
	ctx  context.Context
	node *node.Node
	info peer.AddrInfo // of the node
	peer *bare.Peer
}

func meet(t *testing.T, network string) *meeting {
	t.Helper()
	m := new(meeting)
	var cancel context.CancelFunc
	m.ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	m.node, m.info = run(t, node.Config{Network: network})
	m.peer = newBare(t, network)
	return m
}

// run runs a node of ours on loopback, which finds nobody by itself.
func run(t *testing.T, cfg node.Config) (*node.Node, peer.AddrInfo) {
	t.Helper()
	cfg.Name, cfg.Local, cfg.RendezvousDir = "ours", true, t.TempDir()
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	id, err := peer.Decode(n.ID())
	if err != nil {
		t.Fatal(err)
	}
	return n, peer.AddrInfo{ID: id, Addrs: n.Addrs()}
}

// newBare starts a peer that shares no code with ours, and holds against us
// whatever comes to it that should not.
func newBare(t *testing.T, network string) *bare.Peer {
	t.Helper()
	p, err := bare.New(network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		close(p.Errors)
		for err := range p.Errors {
			t.Errorf("the node sent: %v", err)
		}
	})
	return p
}

// address is where the peer can be dialled.
func (m *meeting) address() string {
	return addressOf(m.peer)
}

func addressOf(p *bare.Peer) string { return fmt.Sprintf("%s/p2p/%s", p.Host.Addrs()[0], p.Host.ID()) }

func next[T any](t *testing.T, m *meeting, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-m.ctx.Done():
		t.Fatal(m.ctx.Err())
		panic("unreachable")
	}
}

func TestAnyLibp2pNodeCanDialPingAndIdentify(t *testing.T) {
	t.Parallel()
	m := meet(t, "main")
	h := m.peer.Host
	if err := h.Connect(m.ctx, m.info); err != nil {
		t.Fatal(err)
	}
	if r := <-ping.Ping(m.ctx, h, m.info.ID); r.Error != nil {
		t.Errorf("ping: %v", r.Error)
	}
	// Connect returns once identify is done.
	for _, id := range []protocol.ID{"/tom/envelope/1.0.0", "/tom/ack/1.0.0", "/tom/heartbeat/1.0.0"} {
		spoken, err := h.Peerstore().SupportsProtocols(m.info.ID, id)
		if err != nil || len(spoken) == 0 {
			t.Errorf("identify does not name %s: %v", id, err)
		}
	}
	agent, err := h.Peerstore().Get(m.info.ID, "AgentVersion")
	if err != nil || !strings.HasPrefix(fmt.Sprint(agent), "tomd/") {
		t.Errorf("agent %v, %v", agent, err)
	}
}

func TestNodeTakesAndSignsForWhatABareHostSends(t *testing.T) {
	t.Parallel()
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			m := meet(t, network)
			if err := m.peer.Host.Connect(m.ctx, m.info); err != nil {
				t.Fatal(err)
			}
			hello, err := m.peer.Greet(m.ctx, m.info.ID)
			if err != nil || hello.Version != 1 || hello.Name != "ours" {
				t.Fatalf("hello %+v, %v", hello, err)
			}
			key := m.node.Key()
			var id [16]byte
			rand.Read(id[:])
			sent, env, err := m.peer.Seal(key[:], hello, id, "text/plain", []byte("from the specification alone"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := m.peer.Send(m.ctx, m.info.ID, sent)
			if err != nil || answer != (bare.Answer{Digest: env.Digest16(), Code: bare.Taken}) {
				t.Fatalf("answered %+v, %v", answer, err)
			}
			m.expectReceipt(t, bare.Delivered, env)

			inbox, err := m.node.Inbox(node.Query{})
			if err != nil || len(inbox) != 1 || string(inbox[0].Body) != "from the specification alone" ||
				inbox[0].Type != "text/plain" || inbox[0].Name != "bare?" || !inbox[0].Stranger {
				t.Fatalf("inbox %+v, %v", inbox, err)
			}
			if err := m.node.MarkRead(inbox[0].Cursor); err != nil {
				t.Fatal(err)
			}
			m.expectReceipt(t, bare.Read, env)
		})
	}
}

// expectReceipt wants one receipt of the node for exactly this envelope.
func (m *meeting) expectReceipt(t *testing.T, kind uint64, env *bare.Envelope) {
	t.Helper()
	r := next(t, m, m.peer.Receipts)
	key := m.node.Key()
	if r.Kind != kind || !r.From.Equal(ed25519.PublicKey(key[:])) || !r.To.Equal(m.peer.Key()) ||
		len(r.Entries) != 1 || r.Entries[0] != (bare.Entry{ID: env.ID, Digest: env.Digest16()}) {
		t.Fatalf("receipt %+v; want kind %d for %x", r, kind, env.ID)
	}
}

func TestBareHostsReceiptMeansDelivered(t *testing.T) {
	t.Parallel()
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			m := meet(t, network)
			to, err := m.node.Connect(m.ctx, m.address())
			if err != nil {
				t.Fatal(err)
			}
			const count = 40 // so that some share a signature
			accepted := make(chan node.MessageID, count)
			for i := range count {
				go func() {
					id, err := m.node.SendTo(m.ctx, to, node.Text(fmt.Sprint("message ", i)))
					if err != nil {
						t.Error(err)
					}
					accepted <- id
				}()
			}
			batched := false
			for range count {
				got := next(t, m, m.peer.Messages)
				if got.Type != "text/plain" || !strings.HasPrefix(string(got.Body), "message ") {
					t.Errorf("received %q of type %q", got.Body, got.Type)
				}
				batched = batched || got.Envelope.Proof[0] == 1
				id := node.MessageID(got.Envelope.ID)
				if st, err := m.node.Status(m.ctx, id); err != nil || st.State >= node.Delivered {
					t.Errorf("before its receipt %v is %v, %v", id, st.State, err)
				}
				if err := m.peer.Acknowledge(m.ctx, bare.Delivered, m.info.ID, got); err != nil {
					t.Fatal(err)
				}
				st, err := m.node.Wait(m.ctx, id, node.Delivered)
				if err != nil || st.State != node.Delivered || !st.ForwardSecret {
					t.Fatalf("after its receipt %v is %v (%v), %v", id, st.State, st.Reason, err)
				}
			}
			for range count {
				next(t, m, accepted)
			}
			if !batched {
				t.Log("no two of the messages shared a signature")
			}
		})
	}
}

// The proof that the specification suffices is worth nothing if the peer used
// our code.
func TestBareHostUsesNoneOfOurPackages(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir("bare", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(p.Imports, p.TestImports...) {
		if strings.HasPrefix(path, "github.com/tom-protocol/tom/") {
			t.Errorf("bare imports %s", path)
		}
	}
}
