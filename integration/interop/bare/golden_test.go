package bare

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

type golden struct {
	Name, Network                      string
	Author                             string `json:"author_seed"`
	Prekey                             string `json:"prekey_private"`
	Ephemeral                          string `json:"ephemeral_private"`
	PrekeyID                           string `json:"prekey_id"`
	ID, To, Nonce, Plaintext, Envelope string
	Created, Lifetime                  uint64
	Via                                []string
}

func held[T any](t *testing.T, file string) (v T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "protocols", filepath.FromSlash(file)))
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func secret(t *testing.T, s string) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.X25519().NewPrivateKey(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheSameEnvelopesAreMade(t *testing.T) {
	t.Parallel()
	made := 0
	for _, g := range held[[]golden](t, "envelope/testdata/plain.json") {
		if len(g.Via) > 0 {
			continue // it sends no envelopes over relays
		}
		prekey := secret(t, g.Prekey)
		s := sealing{unhex(t, g.To), unhex(t, g.PrekeyID), prekey.PublicKey(), secret(t, g.Ephemeral), unhex(t, g.Nonce)}
		b, err := seal(ed25519.NewKeyFromSeed(unhex(t, g.Author)), g.Network, s, [16]byte(unhex(t, g.ID)), g.Created, g.Lifetime, unhex(t, g.Plaintext))
		if err != nil || hex.EncodeToString(b) != g.Envelope {
			t.Errorf("%s: made %x, %v", g.Name, b, err)
		}
		made++
	}
	if made == 0 {
		t.Error("no envelope was made")
	}
}

func TestBatchesVerifyAndOpen(t *testing.T) {
	t.Parallel()
	batch := held[struct{ Envelopes []golden }](t, "envelope/testdata/batch.json")
	for _, g := range batch.Envelopes {
		e, err := parse(unhex(t, g.Envelope))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.verify(g.Network); err != nil {
			t.Errorf("%s: %v", g.ID, err)
		}
		opened, err := e.open(secret(t, g.Prekey))
		if err != nil || !slices.Equal(opened, unhex(t, g.Plaintext)) {
			t.Errorf("%s: opened %x, %v", g.ID, opened, err)
		}
		e.Proof[len(e.Proof)-1] ^= 1
		if e.verify(g.Network) == nil {
			t.Errorf("%s verifies with another path", g.ID)
		}
	}
}

func TestReceiptsRead(t *testing.T) {
	t.Parallel()
	for _, g := range held[[]struct{ Name, Network, Receipt string }](t, "ack/testdata/receipts.json") {
		if _, err := parseReceipt(g.Network, unhex(t, g.Receipt)); err != nil {
			t.Errorf("%s: %v", g.Name, err)
		}
	}
	for _, g := range held[[]struct{ Name, Receipt string }](t, "ack/testdata/refused.json") {
		if g.Name != "signature changed" {
			continue
		}
		if _, err := parseReceipt("main", unhex(t, g.Receipt)); err == nil {
			t.Errorf("%s: taken", g.Name)
		}
	}
}
