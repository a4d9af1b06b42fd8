package bare

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Peer is a libp2p host that speaks ToM.
type Peer struct {
	Host      host.Host
	Messages  chan *Message  // received, verified and opened
	Receipts  chan *Receipt  // received and verified
	Beats     chan Beat      // received and answered; more than there is room for are let go
	Presences chan *Presence // received and verified
	Errors    chan error     // what incoming streams had that they should not
	Relay     bool           // offer to pass on what is for others; set before the first hello

	network string
	key     ed25519.PrivateKey
	prekey  *ecdh.PrivateKey
	streams sync.WaitGroup

	mu    sync.Mutex // held while a frame is sent and its answer read
	lines map[string]line

	passed passed
}

// New starts a peer with a new identity on a port of loopback.
func New(network string) (*Peer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	prekey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	libp2pKey, err := crypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		return nil, err
	}
	h, err := libp2p.New(
		libp2p.Identity(libp2pKey), libp2p.ListenAddrStrings("/ip4/127.0.0.1/udp/0/quic-v1"),
		libp2p.DisableMetrics(), libp2p.DisableRelay(),
	)
	if err != nil {
		return nil, err
	}
	p := &Peer{
		Host: h, Messages: make(chan *Message, 100), Receipts: make(chan *Receipt, 100), Errors: make(chan error, 100),
		Beats: make(chan Beat, 1), Presences: make(chan *Presence, 100),
		network: network, key: key, prekey: prekey,
		lines:  make(map[string]line),
		passed: passed{from: make(map[Entry]peer.ID)},
	}
	p.serve("envelope", p.serveEnvelopes)
	p.serve("ack", p.serveAcks)
	p.serve("heartbeat", p.serveHeartbeat)
	return p, nil
}

// Close ends the peer and its streams.
func (p *Peer) Close() error {
	err := p.Host.Close()
	p.streams.Wait()
	return err
}

// Key is the peer's identity.
func (p *Peer) Key() ed25519.PublicKey { return p.key.Public().(ed25519.PublicKey) }

// id is a protocol's id on the peer's network.
func (p *Peer) id(name string) protocol.ID {
	if p.network == "main" {
		return protocol.ID("/tom/" + name + "/1.0.0")
	}
	return protocol.ID("/" + p.network + "/tom/" + name + "/1.0.0")
}

// serve has the frames of incoming streams of a protocol handled.
func (p *Peer) serve(name string, handle func(s network.Stream, frame []byte) error) {
	p.Host.SetStreamHandler(p.id(name), func(s network.Stream) {
		p.streams.Add(1)
		defer p.streams.Done()
		defer s.Close()
		for in := bufio.NewReader(s); ; {
			frame, err := readFrame(in)
			if err != nil {
				return // the other side, or we, ended it
			}
			if err := handle(s, frame); err != nil {
				p.Errors <- err
				s.Reset()
				return
			}
		}
	})
}

func writeFrame(w io.Writer, frame []byte) error {
	_, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(frame))), frame...))
	return err
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if n > 272<<10 {
		return nil, errors.New("frame too long")
	}
	frame := make([]byte, n)
	_, err = io.ReadFull(r, frame)
	return frame, err
}

// line is an outgoing stream to one peer, kept open while both live.
type line struct {
	s  network.Stream
	in *bufio.Reader
}

// ask sends one frame and, if it is wanted, reads one. One caller at a time has
// the lines.
func (p *Peer) ask(ctx context.Context, to peer.ID, name string, frame []byte, wantAnswer bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lines[name+string(to)]
	if l.s == nil {
		s, err := p.Host.NewStream(ctx, to, p.id(name))
		if err != nil {
			return nil, err
		}
		l = line{s, bufio.NewReader(s)}
		p.lines[name+string(to)] = l
	}
	if deadline, ok := ctx.Deadline(); ok {
		l.s.SetDeadline(deadline)
	}
	answer, err := l.exchange(frame, wantAnswer)
	if err != nil {
		delete(p.lines, name+string(to))
		l.s.Reset()
	}
	return answer, err
}

func (l line) exchange(frame []byte, wantAnswer bool) ([]byte, error) {
	if err := writeFrame(l.s, frame); err != nil || !wantAnswer {
		return nil, err
	}
	return readFrame(l.in)
}

// Hello is what the peer says of itself now.
func (p *Peer) Hello() Hello {
	now := time.Now()
	h := Hello{
		Agent: "bare/1", Name: "bare", Prekeys: record(p.key, p.network, now, p.prekey.PublicKey()),
		Time: uint64(now.UnixMilli()),
	}
	if p.Relay {
		h.Roles = []uint64{roleRelay}
	}
	return h
}

// Greet says hello and returns the other's.
func (p *Peer) Greet(ctx context.Context, to peer.ID) (Hello, error) {
	b, err := p.ask(ctx, to, "heartbeat", p.Hello().encode(), true)
	if err != nil {
		return Hello{}, err
	}
	return parseHello(b)
}

// Beat asks for a sign of life and returns it.
func (p *Peer) Beat(ctx context.Context, to peer.ID, b Beat) (BeatAnswer, error) {
	answer, err := p.ask(ctx, to, "heartbeat", b.encode(), true)
	if err != nil {
		return BeatAnswer{}, err
	}
	return parseBeatAnswer(answer)
}

// TellWhere sends a presence that names the peer's own addresses. It is not
// answered.
func (p *Peer) TellWhere(ctx context.Context, to peer.ID) error {
	now := uint64(time.Now().UnixMilli())
	said := Presence{Node: p.Key(), Made: now, Until: now + 3_600_000}
	for _, a := range p.Host.Addrs() {
		said.Addrs = append(said.Addrs, a.Bytes())
	}
	_, err := p.ask(ctx, to, "heartbeat", presenceFrame(said.sign(p.key, p.network), nil), false)
	return err
}

// Seal makes an envelope for a node whose hello is known.
func (p *Peer) Seal(to ed25519.PublicKey, h Hello, id [16]byte, kind string, body []byte) ([]byte, *Envelope, error) {
	now := time.Now()
	prekey, err := todaysPrekey(p.network, to, h.Prekeys, now)
	if err != nil {
		return nil, nil, err
	}
	b, err := seal(p.key, p.network, freshSealing(to, prekey), id, uint64(now.UnixMilli()), 3600, plaintext(kind, 1, body))
	if err != nil {
		return nil, nil, err
	}
	e, err := parse(b)
	return b, e, err
}

// Send sends an envelope and returns the hop answer.
func (p *Peer) Send(ctx context.Context, to peer.ID, envelope []byte) (Answer, error) {
	b, err := p.ask(ctx, to, "envelope", envelope, true)
	if err != nil {
		return Answer{}, err
	}
	return parseAnswer(b)
}

// Acknowledge sends a signed receipt for a message to its author.
func (p *Peer) Acknowledge(ctx context.Context, kind uint64, to peer.ID, m *Message) error {
	r := Receipt{
		Kind: kind, From: p.Key(), To: m.Envelope.From, Time: uint64(time.Now().UnixMilli()),
		Entries: []Entry{{m.Envelope.ID, m.Envelope.Digest16()}},
	}
	_, err := p.ask(ctx, to, "ack", ackFrame(r.sign(p.key, p.network)), false)
	return err
}

func (p *Peer) serveEnvelopes(s network.Stream, frame []byte) error {
	e, err := parse(frame)
	if err != nil {
		return err
	}
	if err := errors.Join(e.verify(p.network), e.checkTime(time.Now())); err != nil {
		return err
	}
	if !e.To.Equal(p.Key()) {
		return p.passOn(s, e)
	}
	opened, err := e.open(p.prekey)
	if err != nil {
		return err
	}
	m, err := parsePlaintext(e, opened)
	if err != nil {
		return err
	}
	p.Messages <- m
	return writeFrame(s, Answer{Digest: e.Digest16(), Code: Taken}.encode())
}

func (p *Peer) serveAcks(_ network.Stream, frame []byte) error {
	receipts, err := parseAckFrame(p.network, frame)
	for _, r := range receipts {
		if r.Kind == Got && !r.To.Equal(p.Key()) {
			err = errors.Join(err, p.passBack(r, frame))
			continue
		}
		p.Receipts <- r
	}
	return err
}

func (p *Peer) serveHeartbeat(s network.Stream, frame []byte) error {
	kind, err := frameType(frame)
	switch {
	case err != nil:
		return err
	case kind == typeHello:
		if _, err := parseHello(frame); err != nil {
			return err
		}
		return writeFrame(s, p.Hello().encode())
	case kind == typeBeat:
		b, err := parseBeat(frame)
		if err != nil {
			return err
		}
		select {
		case p.Beats <- b:
		default:
		}
		return writeFrame(s, BeatAnswer{b.Counter, uint64(time.Now().UnixMilli())}.encode())
	case kind == typePresence:
		said, _, err := parsePresenceFrame(frame)
		if err != nil {
			return err
		}
		presence, err := parsePresence(p.network, said, time.Now())
		if err == nil {
			p.Presences <- presence
		}
		return err
	}
	return nil // an unknown type is passed over
}
