package identity

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
)

// peerIDPrefix opens the peer ID of every Ed25519 key: an identity multihash
// (code 0, 36 bytes) of libp2p's marshalled public key (type 1, 32 bytes).
const peerIDPrefix = "\x00\x24\x08\x01\x12\x20"

// KeyOf returns the Ed25519 key a peer ID stands for. It refuses the IDs of
// keys of other types, and keys that may not be an identity.
func KeyOf(id peer.ID) (protocols.Key, error) {
	if len(id) != len(peerIDPrefix)+len(protocols.Key{}) || id[:len(peerIDPrefix)] != peerIDPrefix {
		return protocols.Key{}, fmt.Errorf("peer id %s is not that of an Ed25519 key", id)
	}
	key, err := protocols.ParseKey([]byte(id[len(peerIDPrefix):]))
	if err != nil {
		return protocols.Key{}, fmt.Errorf("peer id %s: %w", id, err)
	}
	return key, nil
}

// PeerIDOf returns the peer ID of an Ed25519 key.
func PeerIDOf(key protocols.Key) peer.ID {
	return peer.ID(peerIDPrefix + string(key[:]))
}
