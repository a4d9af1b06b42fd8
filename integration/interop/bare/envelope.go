package bare

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Envelope is what of an envelope the tests look at.
type Envelope struct {
	ID            [16]byte
	From, To      ed25519.PublicKey
	Created       uint64 // ms since the epoch
	Lifetime      uint64 // seconds
	Key           []byte
	Nonce, Cipher []byte
	Proof         []byte
	Via           [][]byte // relays still to pass
	Hops          uint64   // relays passed

	additional, signed []byte // fields 0 to 6, 0 to 7
}

// Digest16 is the digest as hop answers and receipts give it.
func (e *Envelope) Digest16() [16]byte {
	d := sha256.Sum256(e.signed)
	return [16]byte(d[:16])
}

// sealing is what an author needs besides itself.
type sealing struct {
	to        ed25519.PublicKey
	prekeyID  []byte
	prekey    *ecdh.PublicKey
	ephemeral *ecdh.PrivateKey
	nonce     []byte
}

// freshSealing seals to a prekey, with a key of its own.
func freshSealing(to ed25519.PublicKey, prekey *ecdh.PublicKey) sealing {
	ephemeral, _ := ecdh.X25519().GenerateKey(rand.Reader) // X25519 keys are any bytes
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce)
	return sealing{to, prekeyID(prekey), prekey, ephemeral, nonce}
}

func prekeyID(public *ecdh.PublicKey) []byte {
	h := sha256.Sum256(public.Bytes())
	return h[:8]
}

// seal makes an envelope with a plain proof and encodes it.
func seal(author ed25519.PrivateKey, network string, s sealing, id [16]byte, created, lifetime uint64, plaintext []byte) ([]byte, error) {
	from := author.Public().(ed25519.PublicKey)
	shared, err := s.ephemeral.ECDH(s.prekey)
	if err != nil {
		return nil, err
	}
	ephemeral := s.ephemeral.PublicKey().Bytes()
	key, err := deriveKey(shared, ephemeral, s.prekey.Bytes(), from, s.to)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	additional := pack{}.uint(1).bin(id[:]).bin(from).bin(s.to).uint(created).uint(lifetime).
		bin(slices.Concat([]byte{1}, s.prekeyID, ephemeral))
	signed := slices.Clone(additional).bin(aead.Seal(slices.Clone(s.nonce), s.nonce, plaintext, additional))
	proof := append([]byte{0}, ed25519.Sign(author, signingBytes(network, "tom-envelope-v1", signed))...)
	return (&Envelope{signed: signed, Proof: proof}).encode(), nil
}

// encode writes an envelope with the via and hops that it has now: its author
// has not signed those.
func (e *Envelope) encode() []byte {
	p := pack(slices.Concat(pack{}.array(11), e.signed)).bin(e.Proof).array(len(e.Via))
	for _, k := range e.Via {
		p = p.bin(k)
	}
	return p.uint(e.Hops)
}

func deriveKey(shared, ephemeral, recipient []byte, from, to ed25519.PublicKey) ([]byte, error) {
	info := slices.Concat([]byte("tom-seal-v1\x01"), from, to)
	return hkdf.Key(sha256.New, shared, slices.Concat(ephemeral, recipient), string(info), 32)
}

// parse reads an envelope.
func parse(b []byte) (*Envelope, error) {
	u := &unpack{b: b}
	u.choose(u.array() >= 11)
	fields := u.b
	e := new(Envelope)
	u.choose(u.uint() == 1)
	copy(e.ID[:], u.exactly(16))
	e.From, e.To = u.exactly(32), u.exactly(32)
	e.Created, e.Lifetime = u.uint(), u.uint()
	e.Key = u.exactly(41)
	e.additional = fields[:len(fields)-len(u.b)]
	body := u.bin()
	e.signed = fields[:len(fields)-len(u.b)]
	e.Proof = u.bin()
	for range u.atMost(4) {
		e.Via = append(e.Via, u.exactly(32))
	}
	e.Hops = u.uint()
	u.choose(len(body) >= 40 && e.Key[0] == 1 && len(e.Proof) > 0)
	if u.err != nil {
		return nil, u.err
	}
	e.Nonce, e.Cipher = body[:24], body[24:]
	return e, nil
}

// checkTime holds the envelope to the window of time.
func (e *Envelope) checkTime(now time.Time) error {
	created := time.UnixMilli(int64(min(e.Created, 1<<48)))
	if created.After(now.Add(5*time.Minute)) || created.Add(time.Duration(e.Lifetime)*time.Second).Before(now) {
		return errors.New("outside the window of time")
	}
	return nil
}

// open decrypts a verified envelope with the prekey it is sealed to.
func (e *Envelope) open(prekey *ecdh.PrivateKey) ([]byte, error) {
	if !slices.Equal(e.Key[1:9], prekeyID(prekey.PublicKey())) {
		return nil, errors.New("sealed to another key")
	}
	ephemeral, err := ecdh.X25519().NewPublicKey(e.Key[9:])
	if err != nil {
		return nil, err
	}
	shared, err := prekey.ECDH(ephemeral)
	if err != nil {
		return nil, err
	}
	key, err := deriveKey(shared, e.Key[9:], prekey.PublicKey().Bytes(), e.From, e.To)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, e.Nonce, e.Cipher, e.additional)
}
