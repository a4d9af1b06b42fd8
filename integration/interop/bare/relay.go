package bare

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Via returns an envelope that asks to go by these relays, the next first.
func Via(envelope []byte, relays ...ed25519.PublicKey) ([]byte, error) {
	e, err := parse(envelope)
	if err != nil {
		return nil, err
	}
	e.Via = nil
	for _, k := range relays {
		e.Via = append(e.Via, k)
	}
	return e.encode(), nil
}

// passed is what went through this relay.
type passed struct {
	mu   sync.Mutex
	from map[Entry]peer.ID // who brought it
}

// passOn gives an envelope for another to the next hop, and answers with what
// that has answered. It knows the neighbours of now only, dials nobody, and
// waits for nothing but the next hop.
func (p *Peer) passOn(s network.Stream, e *Envelope) error {
	refusal := Answer{Digest: e.Digest16(), Code: Refused, Reason: NoRoute}
	next, ok := p.nextHop(e)
	if !ok || e.Hops >= 4 {
		return writeFrame(s, refusal.encode())
	}
	p.passed.mu.Lock()
	p.passed.from[Entry{e.ID, e.Digest16()}] = s.Conn().RemotePeer()
	p.passed.mu.Unlock()
	e.Hops++
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second-time.Duration(e.Hops-1)*250*time.Millisecond)
	defer cancel()
	answer, err := p.Send(ctx, next, e.encode())
	if err != nil {
		answer = refusal
	}
	_ = writeFrame(s, answer.encode()) // whoever has gone by now needs none
	return nil
}

// nextHop takes the peer off the front of via and says who comes next.
func (p *Peer) nextHop(e *Envelope) (peer.ID, bool) {
	to, err := peerID(e.To)
	if err != nil {
		return "", false
	}
	if p.Host.Network().Connectedness(to) == network.Connected {
		e.Via = nil // the shorter way
		return to, true
	}
	if len(e.Via) < 2 || !bytes.Equal(e.Via[0], p.Key()) {
		return "", false
	}
	e.Via = e.Via[1:]
	next, err := peerID(e.Via[0])
	return next, err == nil
}

// passBack gives the word that receipts arrived to who brought them.
func (p *Peer) passBack(r *Receipt, frame []byte) error {
	if len(r.Entries) != 1 {
		return errors.New("a got for several envelopes")
	}
	p.passed.mu.Lock()
	to, ok := p.passed.from[r.Entries[0]]
	delete(p.passed.from, r.Entries[0])
	p.passed.mu.Unlock()
	if !ok {
		return nil // let others be
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = p.ask(ctx, to, "ack", frame, false) // if it has gone, its receipts come again
	return nil
}

func peerID(key ed25519.PublicKey) (peer.ID, error) {
	k, err := crypto.UnmarshalEd25519PublicKey(key)
	if err != nil {
		return "", err
	}
	return peer.IDFromPublicKey(k)
}
