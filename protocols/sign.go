package protocols

import (
	"crypto/ed25519"
	"encoding/binary"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// SignatureSize is the length of a Signature in bytes.
const SignatureSize = ed25519.SignatureSize

// Signature is a raw Ed25519 signature.
type Signature [SignatureSize]byte

// Signer signs in the name of one identity on one network. It knows no form
// without a tag.
type Signer interface {
	// Public returns the key the signatures verify under.
	Public() Key
	// Network returns the network the signatures are good for.
	Network() Network
	// Sign signs SigningBytes of the network, the tag and msg.
	Sign(tag Tag, msg []byte) Signature
}

// SigningBytes appends to dst what a signature for msg covers: the tag and the
// network's name, each behind its length as a uvarint, and msg itself.
func (n Network) SigningBytes(dst []byte, tag Tag, msg []byte) []byte {
	return append(n.SigningPrefix(dst, tag), msg...)
}

// SigningPrefix appends to dst what stands before the message in SigningBytes.
func (n Network) SigningPrefix(dst []byte, tag Tag) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(tag)))
	dst = append(dst, tag...)
	dst = binary.AppendUvarint(dst, uint64(len(n)))
	return append(dst, n...)
}

// smallMessage is how much of a message to be signed or verified is put
// together on the stack.
const smallMessage = 1024

// rule is by what every signature is judged: RFC 8032 section 5.1.7 with the factor 8,
// [8][S]B = [8]R + [8][k]A, S below the order, A and R canonical, and A not of small
// order. Without the factor a signature that has a part of small order could be good
// among others and bad alone.
var rule = &voi.Options{Verify: &voi.VerifyOptions{AllowSmallOrderR: true}}

// Verify says whether sig is k's signature over msg under the tag, on n.
func (n Network) Verify(k Key, tag Tag, msg, sig []byte) bool {
	var space [smallMessage]byte
	return voi.VerifyWithOptions(k[:], n.SigningBytes(space[:0], tag, msg), sig, rule)
}

// Signed is a signature, and what it is said to be: the key's, over a message under a
// tag.
type Signed struct {
	Key Key
	Tag Tag
	Msg []byte
	Sig []byte
}

// VerifyAll says of each signature what Verify says. If all are good, many take little
// more than half the time.
func (n Network) VerifyAll(list []Signed) (good []bool) {
	if len(list) < 2 { // what is done together costs more for one
		for _, s := range list {
			good = append(good, n.Verify(s.Key, s.Tag, s.Msg, s.Sig))
		}
		return good
	}
	together := voi.NewBatchVerifierWithCapacity(len(list)).ForceNoPublicKeyExpansion()
	var space [smallMessage]byte
	for _, s := range list {
		together.AddWithOptions(s.Key[:], n.SigningBytes(space[:0], s.Tag, s.Msg), s.Sig, rule)
	}
	_, good = together.Verify(nil)
	return good
}

// NewSigner returns a signer with a private key held in memory. It panics if
// the private key has a wrong length.
func NewSigner(n Network, private ed25519.PrivateKey) Signer {
	return keySigner{network: n, private: private, public: Key(private.Public().(ed25519.PublicKey))}
}

type keySigner struct {
	network Network
	private ed25519.PrivateKey
	public  Key
}

func (s keySigner) Public() Key      { return s.public }
func (s keySigner) Network() Network { return s.network }

func (s keySigner) Sign(tag Tag, msg []byte) Signature {
	var space [smallMessage]byte
	return Signature(ed25519.Sign(s.private, s.network.SigningBytes(space[:0], tag, msg)))
}
