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

// asStandard has signatures judged by the very rules of crypto/ed25519.
var asStandard = &voi.Options{Verify: voi.VerifyOptionsStdLib}

// Verify says whether sig is k's signature over msg under the tag, on n. It takes what
// crypto/ed25519 takes, in two thirds of the time.
func (n Network) Verify(k Key, tag Tag, msg, sig []byte) bool {
	if len(sig) != SignatureSize || !k.Usable() {
		return false
	}
	var space [smallMessage]byte
	return voi.VerifyWithOptions(k[:], n.SigningBytes(space[:0], tag, msg), sig, asStandard)
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
