package crash

import (
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

// patience is far more than a node needs to find a peer that has moved.
const patience = time.Minute

// A node that was killed, and finds its port taken when it starts again, gets
// what waited for it: its neighbour finds it through the rendezvous folder.
func TestNodeThatMovedIsFound(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	ids := []string{deliver(t, alice, bob.ID)}
	bob.Kill()
	ids = append(ids, queue(t, alice, bob.ID)...)

	take(t, bob.Addrs)
	moved := m.Start("bob")
	wantElsewhere(t, bob, moved)
	awaitAll(t, alice, ids)
	wantInbox(t, moved, ids)
}

// With nothing between them but the network, as between two houses, it is the
// one who moved that calls: it has kept where its neighbour is.
func TestNodeThatMovedCallsThoseItKnows(t *testing.T) {
	t.Parallel()
	here, there := proctest.New(t), proctest.New(t)
	there.Network = here.Network
	alice, bob := here.Start("alice"), there.Start("bob")
	if _, err := alice.Output(t.Context(), "connect", bob.Link); err != nil {
		t.Fatal(err)
	}
	ids := []string{deliver(t, alice, bob.ID)}
	stop(t, bob)
	ids = append(ids, queue(t, alice, bob.ID)...)

	moved := there.Start("bob", "--listen", "/ip4/127.0.0.1/udp/"+freePort(t)+"/quic-v1")
	wantElsewhere(t, bob, moved)
	awaitAll(t, alice, ids)
	wantInbox(t, moved, ids)
}

// take listens on the ports of addresses until the test ends.
func take(t *testing.T, addrs []string) {
	t.Helper()
	for _, addr := range addrs {
		network, host, err := manet.DialArgs(transport(t, addr))
		if err != nil {
			t.Fatal(err)
		}
		var l io.Closer
		if strings.HasPrefix(network, "udp") {
			l, err = net.ListenPacket(network, host)
		} else {
			l, err = net.Listen(network, host)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
}

// transport is an address up to its port.
func transport(t *testing.T, addr string) multiaddr.Multiaddr {
	t.Helper()
	a, err := multiaddr.NewMultiaddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	return a[:2]
}

// freePort is one that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.LocalAddr().(*net.UDPAddr).Port)
}

// deliver sends a message, waits for the receipt, and returns the id.
func deliver(t *testing.T, from *proc.Daemon, to string) (id string) {
	t.Helper()
	var sent struct{ ID string }
	if err := from.JSON(t.Context(), &sent, "send", "--timeout", patience.String(), to, "at home"); err != nil {
		t.Fatal(err)
	}
	return sent.ID
}

// queue sends to somebody who is away, and returns the ids.
func queue(t *testing.T, from *proc.Daemon, to string) (ids []string) {
	t.Helper()
	for range 20 {
		a, err := from.Client.Send(t.Context(), localapi.Outgoing{To: to, Content: localapi.NewContent(localapi.DefaultType, []byte("away"))})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	return ids
}

// wantInbox wants exactly these messages, each once.
func wantInbox(t *testing.T, d *proc.Daemon, ids []string) {
	t.Helper()
	var got []string
	for page, err := range d.Client.Inbox(t.Context(), localapi.InboxQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			got = append(got, m.ID)
		}
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
		t.Errorf("in the inbox %v, want %v", got, want)
	}
}

func stop(t *testing.T, d *proc.Daemon) {
	t.Helper()
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantElsewhere(t *testing.T, before, after *proc.Daemon) {
	t.Helper()
	if after.ID != before.ID || len(after.Addrs) == 0 {
		t.Fatalf("it was %+v and is %+v", before.Identity, after.Identity)
	}
	for _, addr := range after.Addrs {
		if slices.Contains(before.Addrs, addr) {
			t.Fatalf("it still listens on %s", addr)
		}
	}
}

func awaitAll(t *testing.T, from *proc.Daemon, ids []string) {
	t.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, id := range ids {
		m, err := from.Client.Wait(ctx, id, localapi.Delivered, patience)
		if err != nil || m.State != localapi.Delivered {
			trace, _ := from.Client.Trace(t.Context(), id)
			t.Fatalf("%s: %+v, %v; %+v", id, m, err, trace)
		}
	}
	t.Logf("delivered %d ms after it was back", time.Since(begin).Milliseconds())
}
