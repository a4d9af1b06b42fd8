package envelope

import (
	"bytes"
	"crypto/ecdh"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

// goldenEnvelope is one envelope with every value on the way to it.
type goldenEnvelope struct {
	Name          string     `json:"name"`
	Network       string     `json:"network"`
	AuthorSeed    golden.Hex `json:"author_seed"`
	RecipientSeed golden.Hex `json:"recipient_seed"`
	Prekey        golden.Hex `json:"prekey_private"` // X25519, of the identity key where the prekey id is zero
	Ephemeral     golden.Hex `json:"ephemeral_private"`
	Nonce         golden.Hex `json:"nonce"`
	Plaintext     golden.Hex `json:"plaintext"` // padded

	Version         uint8        `json:"version"`
	ID              golden.Hex   `json:"id"`
	IDText          string       `json:"id_text"`
	From            golden.Hex   `json:"from"`
	To              golden.Hex   `json:"to"`
	Created         uint64       `json:"created"`
	Lifetime        uint32       `json:"lifetime"`
	PrekeyID        golden.Hex   `json:"prekey_id"`
	PrekeyPublic    golden.Hex   `json:"prekey_public"`
	EphemeralPublic golden.Hex   `json:"ephemeral_public"`
	Via             []golden.Hex `json:"via"`
	Hops            uint8        `json:"hops"`

	Shared     golden.Hex `json:"shared_secret"`
	Salt       golden.Hex `json:"hkdf_salt"`
	Info       golden.Hex `json:"hkdf_info"`
	Key        golden.Hex `json:"derived_key"`
	Additional golden.Hex `json:"additional_data"` // fields 0 to 6
	Ciphertext golden.Hex `json:"ciphertext"`
	Signed     golden.Hex `json:"signed_fields"` // fields 0 to 7
	Digest     golden.Hex `json:"digest"`
	Signing    golden.Hex `json:"signing_bytes"` // prefix and fields 0 to 7
	Leaf       golden.Hex `json:"leaf"`          // in a batch
	Proof      golden.Hex `json:"proof"`
	Envelope   golden.Hex `json:"envelope"`
}

// recipe is what a golden envelope is made from.
type recipe struct {
	name      string
	network   protocols.Network
	prekey    *ecdh.PrivateKey
	prekeyID  PrekeyID
	nonce     byte
	lifetime  time.Duration
	plaintext []byte
	via       []protocols.Key
	hops      uint8
}

// plaintext is a padded content, written out here: ["text/plain", 7, "hello"].
func plaintext() []byte {
	content := "\x93\xaatext/plain\x07\xc4\x05hello"
	return slices.Concat([]byte(content), make([]byte, 256-len(content)))
}

func (r recipe) envelope(t *testing.T) *Envelope {
	t.Helper()
	author := fixed.Signer(r.network, fixed.AuthorSeed)
	to := Recipient{fixed.Recipient().Public(), r.prekeyID, [32]byte(r.prekey.PublicKey().Bytes())}
	k, err := sealKeyOf(fixedEphemeral, author.Public(), to)
	if err != nil {
		t.Fatal(err)
	}
	e := &Envelope{
		Version: Version, ID: fixedID(r.nonce), From: author.Public(), To: to.Node,
		Created: uint64(fixed.Created.UnixMilli()), Lifetime: uint32(r.lifetime / time.Second), Key: k.field,
		Via: r.via, Hops: r.hops,
	}
	e.encrypt(k.aead, [nonceSize]byte(fixed.Bytes(r.nonce, nonceSize)), r.plaintext)
	return e
}

// golden explains e, which is made from r.
func (r recipe) golden(t *testing.T, e *Envelope) goldenEnvelope {
	t.Helper()
	shared, err := fixedEphemeral.ECDH(r.prekey.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	public, ephemeral, digest := r.prekey.PublicKey().Bytes(), fixedEphemeral.PublicKey().Bytes(), e.Digest()
	key, err := deriveKey([32]byte(shared), [32]byte(ephemeral), [32]byte(public), e.From, e.To)
	if err != nil {
		t.Fatal(err)
	}
	g := goldenEnvelope{
		Name: r.name, Network: string(r.network),
		AuthorSeed: fixed.AuthorSeed, RecipientSeed: fixed.RecipientSeed,
		Prekey: r.prekey.Bytes(), Ephemeral: fixedEphemeral.Bytes(),
		Nonce: e.Body[:nonceSize], Plaintext: r.plaintext,

		Version: e.Version, ID: e.ID[:], IDText: e.ID.String(), From: e.From[:], To: e.To[:],
		Created: e.Created, Lifetime: e.Lifetime,
		PrekeyID: r.prekeyID[:], PrekeyPublic: public, EphemeralPublic: ephemeral,
		Via: []golden.Hex{}, Hops: e.Hops,

		Shared: shared, Salt: slices.Concat(ephemeral, public),
		Info: slices.Concat([]byte(sealInfo), []byte{suite}, e.From[:], e.To[:]),
		Key:  key, Additional: e.signed[:e.head], Ciphertext: e.Body[nonceSize:],
		Signed: e.Signed(), Digest: digest[:],
		Signing: r.network.SigningBytes(nil, protocols.TagEnvelope, e.Signed()),
		Proof:   e.Proof, Envelope: e.Append(nil),
	}
	leaf := leafOf(g.Signing)
	g.Leaf = leaf[:]
	for _, v := range e.Via {
		g.Via = append(g.Via, v[:])
	}
	return g
}

func TestGoldenPlain(t *testing.T) {
	t.Parallel()
	recipes := []recipe{
		{
			name: "prekey, no path", network: protocols.Main, prekey: fixedPrekey, prekeyID: fixedPrekeyID,
			nonce: 0xa0, lifetime: MaxLifetime, plaintext: plaintext(),
		},
		{
			name: "identity key, two relays, another network", network: "test-1",
			prekey: identityHalf(fixed.RecipientSeed), nonce: 0xb0, lifetime: time.Minute, plaintext: plaintext(),
			via: []protocols.Key{fixed.Other().Public(), fixed.Author().Public()}, hops: 3,
		},
		{
			name: "long body", network: protocols.Main, prekey: fixedPrekey, prekeyID: fixedPrekeyID,
			nonce: 0xc0, lifetime: time.Hour, plaintext: make([]byte, 1024),
		},
	}
	made := make([]goldenEnvelope, len(recipes))
	for i, r := range recipes {
		e := r.envelope(t)
		Sign(fixed.Signer(r.network, fixed.AuthorSeed), []*Envelope{e})
		made[i] = r.golden(t, e)
	}
	for _, g := range golden.Check(t, "plain.json", made) {
		g.check(t)
	}
}

// goldenBatch is a batch with its tree.
type goldenBatch struct {
	Network   string           `json:"network"`
	Levels    [][]golden.Hex   `json:"levels"` // leaves first, the root last
	Statement golden.Hex       `json:"statement"`
	Signing   golden.Hex       `json:"signing_bytes"`
	Signature golden.Hex       `json:"signature"`
	Envelopes []goldenEnvelope `json:"envelopes"`
}

func TestGoldenBatch(t *testing.T) {
	t.Parallel()
	recipes, es := make([]recipe, 5), make([]*Envelope, 5)
	for i := range recipes {
		recipes[i] = recipe{
			name: "member", network: protocols.Main, prekey: fixedPrekey, prekeyID: fixedPrekeyID,
			nonce: byte(0xd0 + i), lifetime: MaxLifetime, plaintext: plaintext(),
		}
		es[i] = recipes[i].envelope(t)
	}
	Sign(fixed.Author(), es)
	made := goldenBatch{Network: string(protocols.Main), Levels: levelsOf(es)}
	root := made.Levels[len(made.Levels)-1][0]
	made.Statement = slices.Concat([]byte{0, 5}, root)
	made.Signing = protocols.Main.SigningBytes(nil, protocols.TagBatch, made.Statement)
	made.Signature = es[0].Proof[3:67]
	for i, e := range es {
		made.Envelopes = append(made.Envelopes, recipes[i].golden(t, e))
	}
	held := golden.Check(t, "batch.json", made)
	if !protocols.Main.Verify(fixed.Author().Public(), protocols.TagBatch, held.Statement, held.Signature) {
		t.Error("the root's signature does not verify")
	}
	for _, g := range held.Envelopes {
		g.check(t)
	}
}

// check reads the golden bytes as their recipient does.
func (g goldenEnvelope) check(t *testing.T) {
	t.Helper()
	e, err := Parse(g.Envelope)
	if err != nil {
		t.Fatalf("%s: %v", g.Name, err)
	}
	if err := NewVerifier(protocols.Network(g.Network)).Verify(e); err != nil {
		t.Errorf("%s: %v", g.Name, err)
	}
	halves := privateHalves{PrekeyID(g.PrekeyID): x25519(g.Prekey)}
	opened, err := NewOpener(protocols.Key(g.To), halves, now).Open(e)
	if err != nil || !bytes.Equal(opened, g.Plaintext) {
		t.Errorf("%s: opened %x, %v", g.Name, opened, err)
	}
	via := make([]golden.Hex, 0)
	for i := range e.Via {
		via = append(via, e.Via[i][:])
	}
	digest, prekey := e.Digest(), e.PrekeyID()
	for field, same := range map[string]bool{
		"version": e.Version == g.Version, "id": bytes.Equal(e.ID[:], g.ID), "id text": e.ID.String() == g.IDText,
		"from": bytes.Equal(e.From[:], g.From), "to": bytes.Equal(e.To[:], g.To),
		"created": e.Created == g.Created, "lifetime": e.Lifetime == g.Lifetime,
		"prekey id": bytes.Equal(prekey[:], g.PrekeyID), "proof": bytes.Equal(e.Proof, g.Proof),
		"via":  slices.EqualFunc(via, g.Via, func(a, b golden.Hex) bool { return bytes.Equal(a, b) }),
		"hops": e.Hops == g.Hops, "signed": bytes.Equal(e.Signed(), g.Signed),
		"digest": bytes.Equal(digest[:], g.Digest), "encoding": bytes.Equal(e.Append(nil), g.Envelope),
	} {
		if !same {
			t.Errorf("%s: another %s", g.Name, field)
		}
	}
}
