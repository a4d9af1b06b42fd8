package protocols_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

type signing struct {
	Network   string     `json:"network"`
	Tag       string     `json:"tag"`
	Message   golden.Hex `json:"message"`
	Signing   golden.Hex `json:"signing_bytes"`
	Seed      golden.Hex `json:"seed"`
	Public    golden.Hex `json:"public"`
	Signature golden.Hex `json:"signature"`
}

func signed(n protocols.Network, tag protocols.Tag, msg []byte) signing {
	s := fixed.Signer(n, fixed.AuthorSeed)
	public, sig := s.Public(), s.Sign(tag, msg)
	return signing{
		Network: string(n), Tag: string(tag), Message: msg,
		Signing: n.SigningBytes(nil, tag, msg),
		Seed:    fixed.AuthorSeed, Public: public[:], Signature: sig[:],
	}
}

func TestGoldenSignatures(t *testing.T) {
	t.Parallel()
	held := golden.Check(t, "signing.json", []signing{
		signed(protocols.Main, protocols.TagReceipt, []byte{}),
		signed(protocols.Main, protocols.TagEnvelope, []byte("hello")),
		signed("a-network-with-the-longest-name-x", protocols.TagBatch, fixed.Bytes(0, 200)),
	})
	for _, h := range held {
		n, tag := protocols.Network(h.Network), protocols.Tag(h.Tag)
		if !n.Verify(protocols.Key(h.Public), tag, h.Message, h.Signature) {
			t.Errorf("%s on %s does not verify", tag, n)
		}
	}
}

func TestASignatureIsGoodForItsTagNetworkKeyAndBytesOnly(t *testing.T) {
	t.Parallel()
	a, msg := fixed.Author(), []byte("message")
	sig := a.Sign(protocols.TagReceipt, msg)
	for name, c := range map[string]struct {
		n   protocols.Network
		k   protocols.Key
		tag protocols.Tag
		msg string
		sig []byte
		ok  bool
	}{
		"as signed":       {protocols.Main, a.Public(), protocols.TagReceipt, "message", sig[:], true},
		"other network":   {"test", a.Public(), protocols.TagReceipt, "message", sig[:], false},
		"other key":       {protocols.Main, fixed.Other().Public(), protocols.TagReceipt, "message", sig[:], false},
		"other tag":       {protocols.Main, a.Public(), protocols.TagPrekeys, "message", sig[:], false},
		"other bytes":     {protocols.Main, a.Public(), protocols.TagReceipt, "messagE", sig[:], false},
		"short signature": {protocols.Main, a.Public(), protocols.TagReceipt, "message", sig[:63], false},
		"no signature":    {protocols.Main, a.Public(), protocols.TagReceipt, "message", nil, false},
	} {
		if c.n.Verify(c.k, c.tag, []byte(c.msg), c.sig) != c.ok {
			t.Errorf("%s: verified is not %v", name, c.ok)
		}
	}
}

// The lengths in front make it impossible to move bytes between tag, network
// and message.
func TestSigningBytesAreUnambiguous(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[a-z0-9-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(which string) (protocols.Network, protocols.Tag, string) {
			return protocols.Network(text.Draw(t, which+" network")),
				protocols.Tag(text.Draw(t, which+" tag")), text.Draw(t, which+" message")
		}
		n1, t1, m1 := draw("first")
		n2, t2, m2 := draw("second")
		same := n1 == n2 && t1 == t2 && m1 == m2
		equal := string(n1.SigningBytes(nil, t1, []byte(m1))) == string(n2.SigningBytes(nil, t2, []byte(m2)))
		if same != equal {
			t.Fatal("two different things have the same signing bytes")
		}
	})
}
