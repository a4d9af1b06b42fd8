package groupstest

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// Boxer makes boxes for a node's service and opens them, as a courier does. A node
// knows the prekeys of those that it is connected to, and what it is told.
type Boxer struct {
	n       *Node
	private *ecdh.PrivateKey
	record  []byte
	sealer  *envelope.Sealer
	opener  *envelope.Opener

	mu     sync.Mutex
	known  map[protocols.Key]*prekeys.Record
	learnt []int
}

// newBoxer makes the boxer of a node, with prekeys for as many days as there may be.
func newBoxer(n *Node) (*Boxer, error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	b := &Boxer{n: n, private: private, known: make(map[protocols.Key]*prekeys.Record)}
	var days []prekeys.DayKey
	for i := range uint32(prekeys.MaxKeys) {
		days = append(days, prekeys.DayKey{Day: prekeys.DayOf(time.Now()) + i, Public: [32]byte(private.PublicKey().Bytes())})
	}
	b.record = prekeys.Sign(n.Signer, time.Now(), days)
	b.sealer, b.opener = envelope.NewSealer(n.Key, time.Now), envelope.NewOpener(n.Key, b, time.Now)
	return b, nil
}

// Agree agrees with an ephemeral key by the node's only prekey.
func (b *Boxer) Agree(id envelope.PrekeyID, ephemeral [32]byte) (shared, public [32]byte, err error) {
	public = [32]byte(b.private.PublicKey().Bytes())
	if id != prekeys.ID(public) {
		return shared, public, errors.New("not a prekey of this node")
	}
	their, err := ecdh.X25519().NewPublicKey(ephemeral[:])
	if err != nil {
		return shared, public, err
	}
	secret, err := b.private.ECDH(their)
	if err == nil {
		shared = [32]byte(secret)
	}
	return shared, public, err
}

// Seal seals for those whose prekeys are known.
func (b *Boxer) Seal(to []protocols.Key, contentType string, body []byte, life time.Duration) map[protocols.Key][]byte {
	content := message.Content{Type: contentType, Body: body}
	var sealed []*envelope.Envelope
	for _, p := range to {
		now := time.Now()
		r, err := b.recipient(p, now)
		if err != nil {
			continue
		}
		if e, err := b.sealer.Seal(r, envelope.NewID(now), now, life, content.Append(nil)); err == nil {
			sealed = append(sealed, e)
		}
	}
	boxes := make(map[protocols.Key][]byte)
	if len(sealed) > 0 {
		envelope.Sign(b.n.Signer, sealed)
	}
	for _, e := range sealed {
		boxes[e.To] = e.Append(nil)
	}
	return boxes
}

var errPrekeys = errors.New("no prekeys are known")

func (b *Boxer) recipient(p protocols.Key, now time.Time) (to envelope.Recipient, err error) {
	r, err := prekeys.Parse(protocols.Main, b.Prekeys(p), now)
	if err != nil {
		return to, err
	}
	to, ok := r.Choose(now)
	if !ok {
		err = errPrekeys
	}
	return to, err
}

// Open opens an envelope for the node.
func (b *Boxer) Open(e *envelope.Envelope) (contentType string, body []byte, err error) {
	if err := e.CheckTime(time.Now()); err != nil {
		return "", nil, err
	}
	content, err := message.Open(b.opener, e)
	return content.Type, content.Body, err
}

// Prekeys are what the node was told, or those of one that it is connected to.
func (b *Boxer) Prekeys(p protocols.Key) []byte {
	b.mu.Lock()
	r := b.known[p]
	b.mu.Unlock()
	if r != nil {
		return r.Bytes()
	}
	if x := b.n.town.reach(b.n.Key, p); x != nil && x.boxer != nil {
		return x.boxer.record
	}
	return nil
}

// Learn takes in prekeys that are peers'.
func (b *Boxer) Learn(told map[protocols.Key][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.learnt = append(b.learnt, len(told))
	for p, record := range told {
		if r, err := prekeys.Parse(protocols.Main, record, time.Now()); err == nil && r.Node == p {
			b.known[p] = r
		}
	}
}

// Learnt is of how many peers prekeys were learnt, each time.
func (b *Boxer) Learnt() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.learnt)
}
