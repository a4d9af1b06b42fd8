package identity

import (
	"crypto/cipher"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
)

// cipher returns the ChaCha20-Poly1305 that XChaCha20-Poly1305 comes down to
// for one nonce (draft-irtf-cfrg-xchacha-03 section 2.3), and the nonce for it.
// chacha20poly1305.NewX does the same but keeps a copy of the key for as long
// as it lives, which nobody could overwrite; what is kept here opens one body
// and dies with it.
func (k *secret) cipher(nonce []byte) (cipher.AEAD, [chacha20poly1305.NonceSize]byte) {
	sub, err := chacha20.HChaCha20(k[:], nonce[:16])
	if err != nil {
		panic(err) // the lengths are constant
	}
	defer clear(sub)
	aead, err := chacha20poly1305.New(sub)
	if err != nil {
		panic(err)
	}
	var short [chacha20poly1305.NonceSize]byte
	copy(short[4:], nonce[16:])
	return aead, short
}
