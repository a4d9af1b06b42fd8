package hostile

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// stray is an envelope to bob that no key of his opens.
func (v *villain) stray(bob protocols.Key, text string) *envelope.Envelope {
	var public [32]byte
	_, _ = rand.Read(public[:])
	return v.signed(v.t, envelope.Recipient{Node: bob, Prekey: prekeys.ID(public), Public: public}, text)
}

func TestUnknownPrekeyIsAnsweredBySignedUnopenable(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	before := s.bob.view()
	p := v.envelopes(s.bob.Link())

	wrong := to // the prekey's name with another key
	_, _ = rand.Read(wrong.Public[:])
	spoilt := v.message(t, to, "sealed for bob, spoilt on the way to the signature")
	spoilt = v.resealed(spoilt)
	for name, e := range map[string]*envelope.Envelope{
		"a prekey nobody made":              v.stray(s.bob.Key(), "?"),
		"another key under a prekey's name": v.signed(t, wrong, "?"),
		"ciphertext that is not":            spoilt,
	} {
		p.send(e.Append(nil))
		p.wantAnswer(e, envelope.Taken, 0)
		f, got := v.receipts()
		if len(got) != 1 || got[0].Kind != ack.Unopenable || got[0].From != s.bob.Key() ||
			got[0].To != v.Public() || len(got[0].Entries) != 1 || got[0].Entries[0] != entry(e.ID, e.Digest()) {
			t.Fatalf("%s: %+v", name, got)
		}
		r, err := prekeys.Parse(protocols.Main, f.Prekeys, time.Now())
		if err != nil || r.Node != s.bob.Key() {
			t.Fatalf("%s: no prekeys beside the receipt: %v", name, err)
		}
		if now, _ := r.Choose(time.Now()); now != to {
			t.Errorf("%s: told to seal to %+v, want %+v", name, now, to)
		}
	}
	s.bob.unchanged(before)

	// It is not in the duplicate window: what is sealed properly under the same
	// id is another envelope, and welcome.
	again := v.draft(t, to, spoilt.ID, time.Now(), "sealed anew")
	envelope.Sign(v.Signer, []*envelope.Envelope{again})
	p.send(again.Append(nil))
	p.wantAnswer(again, envelope.Taken, 0)
	s.honest()
}

// resealed is e with a ciphertext that does not open, signed by its author.
func (v *villain) resealed(e *envelope.Envelope) *envelope.Envelope {
	v.t.Helper()
	all := fields(v.t, e)
	all[7] = flip(all[7], len(all[7])-1)
	all[8] = append([]byte{0xc4, 65}, make([]byte, 65)...) // a proof of the right form
	bad, err := envelope.Parse(array(all))
	if err != nil {
		v.t.Fatal(err)
	}
	envelope.Sign(v.Signer, []*envelope.Envelope{bad})
	return bad
}

func TestPlaintextThatIsNoContentIsRefused(t *testing.T) {
	s := newScene(t, node.Config{})
	v := newVillain(t)
	to := v.greet(s.bob.Link(), v.hello())
	before := s.bob.view()
	good := message.Content{Type: node.TextType, Number: 1, Body: []byte("x")}
	padded := good.Append(nil)
	dirty := bytes.Clone(padded)
	dirty[len(dirty)-1] = 1
	p := v.envelopes(s.bob.Link())
	for name, plaintext := range map[string][]byte{
		"nothing":          nil,
		"no padding":       good.AppendUnpadded(nil),
		"dirty padding":    dirty,
		"too much padding": append(padded, make([]byte, 256)...),
		"garbage":          bytes.Repeat([]byte{0xdd, 0xff}, 128),
		"type not UTF-8":   message.Content{Type: "\xff", Body: []byte("x")}.Append(nil),
		"type too long":    message.Content{Type: string(make([]byte, 129)), Body: []byte("x")}.Append(nil),
	} {
		e, err := v.sealer.Seal(to, envelope.NewID(time.Now()), time.Now(), time.Hour, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		envelope.Sign(v.Signer, []*envelope.Envelope{e})
		p.send(e.Append(nil))
		t.Logf("%s", name)
		p.wantAnswer(e, envelope.Refused, envelope.ReasonPolicy)
	}
	s.bob.unchanged(before)
	s.honest()
}

func TestPrekeysOfOthersAndOfTheFutureAreNotBelieved(t *testing.T) {
	s := newScene(t, node.Config{})
	v, carol := newVillain(t), newAuthor(t)
	var public [32]byte
	_, _ = rand.Read(public[:])
	today := prekeys.DayOf(time.Now())
	keys := []prekeys.DayKey{{Day: today, Public: public}}
	lie := prekeys.Sign(v.Signer, time.Now(), keys)
	copy(lie[4:], carol.me.PeerID()[6:]) // carol's name over the villain's signature
	records := map[string][]byte{
		"carol's own, from another":  carol.record(t),
		"signed in carol's name":     lie,
		"made tomorrow":              prekeys.Sign(v.Signer, time.Now().Add(24*time.Hour), keys),
		"for days too far ahead":     prekeys.Sign(v.Signer, time.Now(), []prekeys.DayKey{{Day: today, Public: public}, {Day: today + 40, Public: public}}),
		"cut off":                    v.record(t)[:100],
		"of another network":         prekeys.Sign(v.me.Signer("elsewhere"), time.Now(), keys),
		"nothing that makes a sense": bytes.Repeat([]byte{0x9f}, 300),
	}
	before := s.bob.view()
	for _, raw := range records {
		liar := v.author.embodied(t)
		hello := liar.hello()
		hello.Prekeys = raw
		liar.greet(s.bob.Link(), hello)
		acks := liar.open(s.bob.Link(), protocols.AckProtocol)
		acks.send(ack.Frame{Prekeys: raw}.Append(nil))
		acks.send([]byte{0xc0}) // and an end that shows that all before was read
		acks.wantReset()
		_ = liar.host.Close()
	}
	s.bob.unchanged(before)

	// Were one believed, bob would seal at once.
	for name, to := range map[string]node.Peer{"carol": carol.Public(), "the villain": v.Public()} {
		id, err := s.bob.SendTo(t.Context(), to, node.Message{Body: []byte("secret"), RequireForwardSecrecy: true})
		if err != nil {
			t.Fatal(err)
		}
		if st := s.bob.status(id); st.Digest != (envelope.Digest{}) {
			t.Errorf("sealed to a key that %s did not give", name)
		}
	}
	s.honest()
}
