package hostile

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// author is an identity in the test's hands: it seals, signs and opens.
type author struct {
	protocols.Signer
	me     *identity.Identity
	vault  *identity.Vault
	sealer *envelope.Sealer
	opener *envelope.Opener
}

func newAuthor(t *testing.T) *author {
	t.Helper()
	me, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	vault, err := identity.OpenVault("", me, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := vault.Rotate(time.Now()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vault.Close() })
	return &author{
		Signer: me.Signer(protocols.Main), me: me, vault: vault,
		sealer: envelope.NewSealer(me.Public(), time.Now),
		opener: envelope.NewOpener(me.Public(), vault, time.Now),
	}
}

// record is the author's signed prekey record.
func (a *author) record(t *testing.T) []byte {
	t.Helper()
	raw, err := a.vault.Record(a.Signer)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// villain is an author with a bare libp2p host, which keeps to no limit.
type villain struct {
	*author
	t    *testing.T
	host host.Host
	acks chan []byte // frames of receipts that came
}

func newVillain(t *testing.T) *villain { return newAuthor(t).embodied(t) }

// embodied gives an author a host.
func (a *author) embodied(t *testing.T) *villain {
	t.Helper()
	h, err := libp2p.New(
		libp2p.Identity(a.me.Host()), libp2p.NoListenAddrs,
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(), libp2p.DisableIdentifyAddressDiscovery(), libp2p.DisableMetrics(),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	v := &villain{author: a, t: t, host: h, acks: make(chan []byte, 4096)}
	h.SetStreamHandler(protocols.EnvelopeProtocol, func(s network.Stream) { _, _ = io.Copy(io.Discard, s) })
	h.SetStreamHandler(protocols.AckProtocol, v.takeAcks)
	h.SetStreamHandler(protocols.HeartbeatProtocol, func(s network.Stream) { _, _ = io.Copy(io.Discard, s) })
	return v
}

func (v *villain) takeAcks(s network.Stream) {
	p := pipeOf(v.t, s)
	for {
		frame, err := p.next()
		if err != nil {
			return
		}
		select {
		case v.acks <- frame:
		default: // nobody is interested
		}
	}
}

// receipts waits for the next frame of receipts.
func (v *villain) receipts() (f ack.Frame, all []*ack.Receipt) {
	v.t.Helper()
	select {
	case frame := <-v.acks:
		f, err := ack.ParseFrame(frame)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, raw := range f.Receipts {
			r, err := ack.Parse(protocols.Main, raw)
			if err != nil {
				v.t.Fatal(err)
			}
			all = append(all, r)
		}
		return f, all
	case <-time.After(patience):
		v.t.Fatal("no receipts came")
	}
	return f, nil
}

// dial connects to whoever a link names, and waits until it speaks our
// protocols: a node that has just started listens a moment before that.
func (v *villain) dial(link string) peer.ID {
	v.t.Helper()
	l, err := identity.ParseLink(link)
	if err != nil {
		v.t.Fatal(err)
	}
	news, err := v.host.EventBus().Subscribe(new(event.EvtPeerProtocolsUpdated))
	if err != nil {
		v.t.Fatal(err)
	}
	defer news.Close()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	id := identity.PeerIDOf(l.Peer)
	// By one address: of several that answer at once libp2p keeps one connection, and
	// what the node has said on another is lost.
	i := slices.IndexFunc(l.Addrs, func(a multiaddr.Multiaddr) bool { return a[len(a)-1].Code() == multiaddr.P_QUIC_V1 })
	if err := v.host.Connect(ctx, peer.AddrInfo{ID: id, Addrs: l.Addrs[i : i+1]}); err != nil {
		v.t.Fatal(err)
	}
	for {
		spoken, err := v.host.Peerstore().SupportsProtocols(id, protocols.EnvelopeProtocol, protocols.AckProtocol, protocols.HeartbeatProtocol)
		if err == nil && len(spoken) == 3 {
			return id
		}
		select {
		case <-news.Out():
		case <-ctx.Done():
			v.t.Fatal("it does not speak our protocols")
		}
	}
}

// leave hangs up, and forgets that it was ever there.
func (v *villain) leave(l *living) {
	v.t.Helper()
	id := identity.PeerIDOf(l.Key())
	if err := v.host.Network().ClosePeer(id); err != nil {
		v.t.Fatal(err)
	}
	v.host.Peerstore().RemovePeer(id)
}

// open opens a stream of one of our protocols.
func (v *villain) open(link, proto string) *pipe {
	v.t.Helper()
	id := v.dial(link)
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	s, err := v.host.NewStream(ctx, id, protocol.ID(proto))
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = s.Reset() })
	return pipeOf(v.t, s)
}

func (v *villain) envelopes(link string) *pipe { return v.open(link, protocols.EnvelopeProtocol) }

// greet exchanges hellos and returns the key to seal to.
func (v *villain) greet(link string, hello heartbeat.Hello) envelope.Recipient {
	v.t.Helper()
	p := v.open(link, protocols.HeartbeatProtocol)
	p.send(hello.Append(nil))
	theirs, err := heartbeat.ParseHello(p.read())
	if err != nil {
		v.t.Fatal(err)
	}
	p.close()
	r, err := prekeys.Parse(protocols.Main, theirs.Prekeys, time.Now())
	if err != nil {
		v.t.Fatal(err)
	}
	to, ok := r.Choose(time.Now())
	if !ok {
		v.t.Fatal("no prekey of today")
	}
	return to
}

func (v *villain) hello() heartbeat.Hello {
	return heartbeat.Hello{
		Version: heartbeat.Version, Agent: "villain", Name: "mallory",
		Prekeys: v.record(v.t), Time: uint64(time.Now().UnixMilli()),
	}
}

// pipe is a stream, seen raw.
type pipe struct {
	t *testing.T
	network.Stream
	in *bufio.Reader
}

func pipeOf(t *testing.T, s network.Stream) *pipe {
	return &pipe{t: t, Stream: s, in: bufio.NewReader(s)}
}

// send writes frames in one write. It does not mind if the stream is reset
// meanwhile: ends tells.
func (p *pipe) send(frames ...[]byte) {
	var b []byte
	for _, f := range frames {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	p.raw(b)
}

func (p *pipe) raw(b []byte) {
	_ = p.SetWriteDeadline(time.Now().Add(patience))
	_, _ = p.Write(b)
}

// next reads a frame.
func (p *pipe) next() ([]byte, error) {
	n, err := binary.ReadUvarint(p.in)
	if err != nil {
		return nil, err
	}
	if n > 1<<20 {
		return nil, errors.New("a frame over a mebibyte")
	}
	b := make([]byte, n)
	_, err = io.ReadFull(p.in, b)
	return b, err
}

func (p *pipe) read() []byte {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	b, err := p.next()
	if err != nil {
		p.t.Fatalf("no frame came: %v", err)
	}
	return b
}

// answer reads a hop answer and wants it to be about e.
func (p *pipe) answer(e *envelope.Envelope) envelope.Answer {
	p.t.Helper()
	a, err := envelope.ParseAnswer(p.read())
	if err != nil {
		p.t.Fatal(err)
	}
	if a.Digest != e.Digest().Short() {
		p.t.Fatalf("the answer is about another envelope: %+v", a)
	}
	return a
}

// wantAnswer is answer of a code.
func (p *pipe) wantAnswer(e *envelope.Envelope, code envelope.Code, why envelope.Reason) {
	p.t.Helper()
	if a := p.answer(e); a.Code != code || a.Reason != why {
		p.t.Fatalf("answered %+v; want code %d, reason %v", a, code, why)
	}
}

// wantReset wants the stream to be reset without a word.
func (p *pipe) wantReset() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	b, err := p.next()
	if !errors.Is(err, network.ErrReset) {
		p.t.Fatalf("want a reset, got frame %x, error %v", b, err)
	}
}

func (p *pipe) close() { _ = p.Close() }

// takePipe hands over the first stream of a kind that is opened here, and
// listens in silence to those after it.
func takePipe(t *testing.T, first chan<- *pipe) network.StreamHandler {
	return func(s network.Stream) {
		select {
		case first <- pipeOf(t, s):
		default:
			_, _ = io.Copy(io.Discard, s)
		}
	}
}
