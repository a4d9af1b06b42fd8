package hostile

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// correspondent is a recipient in the test's hands that is connected, takes
// what it is sent and never says a word.
func (s *scene) correspondent() *villain {
	s.t.Helper()
	dave := newVillain(s.t)
	dave.greet(s.bob.Link(), dave.hello())
	return dave
}

// sentTo has bob send a message, and returns it once its bytes have left.
func (s *scene) sentTo(p node.Peer, lifetime time.Duration) node.Status {
	s.t.Helper()
	id, err := s.bob.SendTo(s.t.Context(), p, node.Message{Body: []byte("for dave alone"), Lifetime: lifetime})
	if err != nil {
		s.t.Fatal(err)
	}
	s.bob.reaches(id, node.Sent)
	return s.bob.status(id)
}

// present brings frames of receipts to bob and waits until he has judged them.
func (s *scene) present(v *villain, frames ...[]byte) {
	s.t.Helper()
	p := v.open(s.bob.Link(), protocols.AckProtocol)
	p.send(append(frames, []byte{0xc0})...)
	p.wantReset()
	if _, err := s.bob.Info(s.t.Context()); err != nil { // passes through the same queue
		s.t.Fatal(err)
	}
}

func TestReceiptsOfOthersAreWorthNothing(t *testing.T) {
	s := newScene(t, node.Config{})
	dave, v := s.correspondent(), newVillain(t)
	m := s.sentTo(dave.Public(), 0)
	e, now := entry(m.ID, m.Digest), time.Now()
	wrong := e
	wrong.Digest[0] ^= 1
	other := entry(envelope.NewID(now), m.Digest)
	genuine := dave.receipt(ack.Delivered, s.bob.Key(), now, e)
	inDavesName := v.receipt(ack.Delivered, s.bob.Key(), now, e)
	from := bytes.Index(inDavesName, slices.Concat(key(v.Public())))
	copy(inDavesName[from:], key(dave.Public()))

	before := s.bob.view(m.ID)
	for name, receipt := range map[string][]byte{
		"the villain's own word":          v.receipt(ack.Delivered, s.bob.Key(), now, e),
		"the villain has read it":         v.receipt(ack.Read, s.bob.Key(), now, e),
		"the villain cannot open it":      v.receipt(ack.Unopenable, s.bob.Key(), now, e),
		"in dave's name":                  inDavesName,
		"dave's, of another digest":       dave.receipt(ack.Delivered, s.bob.Key(), now, wrong),
		"dave's, of another id":           dave.receipt(ack.Delivered, s.bob.Key(), now, other),
		"dave's, for another author":      dave.receipt(ack.Delivered, v.Public(), now, e),
		"dave's, of kind got":             dave.receipt(ack.Got, s.bob.Key(), now, e),
		"dave's, on another network":      ack.Sign(dave.me.Signer("elsewhere"), ack.Receipt{Kind: ack.Delivered, To: s.bob.Key(), Time: uint64(now.UnixMilli()), Entries: []ack.Entry{e}}),
		"dave's, of kind 5":               dave.receipt(5, s.bob.Key(), now, e),
		"dave's, with a bit changed":      flip(genuine, len(genuine)-70),
		"dave's, with a signature's bit":  flip(genuine, len(genuine)-1),
		"dave's, with something appended": append(bytes.Clone(genuine), 0),
		"dave's, cut off":                 genuine[:len(genuine)-1],
	} {
		t.Log(name)
		from := newVillain(t)
		s.present(from, receiptFrame(receipt))
		s.bob.unchanged(before, m.ID)
		_ = from.host.Close()
	}
	for name, frame := range map[string][]byte{
		"empty":             nil,
		"no array":          {0xc0},
		"another type":      {0x93, 9, 0x90, 0xc0},
		"65 receipts":       ack.Frame{Receipts: slices.Repeat([][]byte{genuine}, 65)}.Append(nil),
		"a receipt too big": ack.Frame{Receipts: [][]byte{make([]byte, ack.MaxReceipt+1)}}.Append(nil),
		"lengths that lie":  {0x93, 1, 0xdd, 0xff, 0xff, 0xff, 0xff},
	} {
		t.Log(name)
		from := newVillain(t)
		s.present(from, frame)
		s.bob.unchanged(before, m.ID)
		_ = from.host.Close()
	}

	// The genuine one is good, whoever brings it.
	s.present(v, receiptFrame(genuine))
	s.bob.reaches(m.ID, node.Delivered)
	_, raw, err := s.bob.Receipt(t.Context(), m.ID)
	if err != nil || !bytes.Equal(raw, genuine) {
		t.Errorf("the receipt kept is not the genuine one: %v", err)
	}
	// And nothing takes it back.
	before = s.bob.view(m.ID)
	s.present(newVillain(t), receiptFrame(dave.receipt(ack.Unopenable, s.bob.Key(), now, e), genuine))
	s.bob.unchanged(before, m.ID)
	s.honest()
}

func TestReceiptFromOutsideTheLifetimeDoesNotMendAnExpiredMessage(t *testing.T) {
	s := newScene(t, node.Config{})
	dave := s.correspondent()
	m := s.sentTo(dave.Public(), time.Second)
	s.bob.reaches(m.ID, node.Expired)
	before := s.bob.view(m.ID)
	e := entry(m.ID, m.Digest)
	for _, at := range []time.Time{m.End.Add(time.Second), m.Created.Add(-time.Hour), time.UnixMilli(0), m.End.Add(24 * time.Hour)} {
		s.present(dave.author.embodied(t), receiptFrame(dave.receipt(ack.Delivered, s.bob.Key(), at, e)))
		s.bob.unchanged(before, m.ID)
	}
	s.present(newVillain(t), receiptFrame(dave.receipt(ack.Delivered, s.bob.Key(), m.Created.Add(500*time.Millisecond), e)))
	s.bob.reaches(m.ID, node.Delivered)
	s.honest()
}

func TestHopAnswersOfOthersAreWorthNothing(t *testing.T) {
	s := newScene(t, node.Config{})
	dave := s.correspondent()
	m := s.sentTo(dave.Public(), 0)
	unsent := newVillain(t).stray(s.bob.Key(), "never sent").Digest().Short()
	answers := [][]byte{{}, {0xc0}, {0x93, 1, 2, 3}, bytes.Repeat([]byte{0xff}, 2000)}
	for _, d := range [][16]byte{m.Digest.Short(), unsent} {
		for _, a := range []envelope.Answer{
			{Code: envelope.Taken},
			{Code: envelope.Busy, RetryMillis: 1 << 60},
			{Code: envelope.Refused, Reason: envelope.ReasonConflict},
			{Code: envelope.Refused, Reason: envelope.ReasonPolicy},
			{Code: envelope.Refused, Reason: envelope.ReasonClock, Value: 1<<64 - 1},
			{Code: envelope.Stored, Storage: make([]byte, 100)},
		} {
			a.Digest = d
			answers = append(answers, a.Append(nil))
		}
	}

	// The villain has bob send it something, and answers for everything else.
	v := newVillain(t)
	v.greet(s.bob.Link(), v.hello())
	mine := make(chan *pipe, 1)
	v.host.SetStreamHandler(protocols.EnvelopeProtocol, takePipe(t, mine))
	toVillain, err := s.bob.SendTo(t.Context(), v.Public(), node.Text("hello, villain"))
	if err != nil {
		t.Fatal(err)
	}
	p := <-mine
	got, err := envelope.Parse(p.read())
	if err != nil {
		t.Fatal(err)
	}
	p.send(answers...)
	// Its own message it may speak of. When bob has believed that, he has seen
	// all the rest.
	p.send(envelope.Answer{Digest: got.Digest().Short(), Code: envelope.Refused, Reason: envelope.ReasonConflict}.Append(nil))
	s.bob.reaches(toVillain, node.Failed)
	if st := s.bob.status(m.ID); st.State != node.Sent || st.Reason != "" {
		t.Errorf("dave's message is now %v %q", st.State, st.Reason)
	}

	// What others sign for does not become delivered by a hop's word.
	genuine := dave.receipt(ack.Delivered, s.bob.Key(), time.Now(), entry(m.ID, m.Digest))
	s.present(newVillain(t), receiptFrame(genuine))
	s.bob.delivered(m.ID)
	s.honest()
}

func TestUnopenableCannotMakeBobSealForEver(t *testing.T) {
	s := newScene(t, node.Config{})
	dave := s.correspondent()
	m := s.sentTo(dave.Public(), 0)
	for i := range 10 { // dave can open nothing, he says
		st := s.bob.status(m.ID)
		if st.State == node.Failed {
			if i > 4 {
				t.Errorf("sealed anew %d times", i)
			}
			s.honest()
			return
		}
		s.bob.reaches(st.ID, node.Sent)
		p := dave.author.embodied(t)
		p.dial(s.bob.Link())
		s.present(p, receiptFrame(dave.receipt(ack.Unopenable, s.bob.Key(), time.Now(), entry(st.ID, s.bob.status(st.ID).Digest))))
		s.awaitChange(m.ID, st)
	}
	t.Error("bob goes on for ever")
}

// awaitChange waits until a message has a successor or an end.
func (s *scene) awaitChange(id node.MessageID, was node.Status) {
	s.t.Helper()
	wake, cancel := s.bob.API().Subscribe()
	defer cancel()
	late := time.After(patience)
	for {
		st := s.bob.status(id)
		if st.ID != was.ID || st.State == node.Failed {
			return
		}
		select {
		case <-wake:
		case <-late:
			s.t.Fatalf("nothing came of it: %+v", st)
		}
	}
}
