package identity

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
)

// Identity is the key pair of this node. It is safe for concurrent use.
type Identity struct {
	key    protocols.Key
	seed   ed25519.PrivateKey
	host   crypto.PrivKey
	x25519 *ecdh.PrivateKey // the same key in Diffie-Hellman form
}

func newIdentity(host crypto.PrivKey) (*Identity, error) {
	raw, err := host.Raw()
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if host.Type() != crypto.Ed25519 || len(raw) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("the key is %v, not Ed25519", host.Type())
	}
	seed := ed25519.PrivateKey(raw)
	if !seed.Equal(ed25519.NewKeyFromSeed(seed.Seed())) {
		return nil, fmt.Errorf("the private key does not belong to its public key")
	}
	key, err := protocols.ParseKey(raw[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
	if err != nil {
		return nil, err
	}
	x, err := montgomery(seed)
	if err != nil {
		return nil, err
	}
	return &Identity{key: key, seed: seed, host: host, x25519: x}, nil
}

// montgomery returns the X25519 private key with the scalar of an Ed25519 key
// (RFC 8032 section 5.1.5): its public key is the Ed25519 one under the map of
// RFC 7748.
func montgomery(seed ed25519.PrivateKey) (*ecdh.PrivateKey, error) {
	h := sha512.Sum512(seed.Seed())
	defer clear(h[:])
	return ecdh.X25519().NewPrivateKey(h[:32])
}

// Public returns the raw Ed25519 public key: the name of this node on the wire.
func (me *Identity) Public() protocols.Key { return me.key }

// PeerID returns the libp2p peer ID: the name of this node for users.
func (me *Identity) PeerID() peer.ID { return PeerIDOf(me.key) }

// Host returns the private key for the libp2p host, which proves with it who
// is at the other end of a connection. Nobody else may ask for it.
func (me *Identity) Host() crypto.PrivKey { return me.host }

// Signer returns what signs for this node on network n.
func (me *Identity) Signer(n protocols.Network) protocols.Signer {
	return protocols.NewSigner(n, me.seed)
}
