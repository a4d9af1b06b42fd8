package hostile

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// flood sends envelopes as fast as they are answered and returns how many
// answers of each code came. At most window are on the way.
func (p *pipe) flood(total int, next func(i int) []byte) map[envelope.Code]int {
	p.t.Helper()
	const window = 256
	codes := make(map[envelope.Code]int)
	for sent, answered := 0, 0; answered < total; {
		for ; sent < total && sent-answered < window; sent++ {
			p.send(next(sent))
		}
		a, err := envelope.ParseAnswer(p.read())
		if err != nil {
			p.t.Fatal(err)
		}
		codes[a.Code]++
		answered++
	}
	return codes
}

// content is a frame with a content of the villain's, from an author to whom
// it lends its pen.
func (a *author) content(t *testing.T, to envelope.Recipient, c message.Content) []byte {
	t.Helper()
	e, err := a.sealer.Seal(to, envelope.NewID(time.Now()), time.Now(), envelope.MaxLifetime, c.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	envelope.Sign(a.Signer, []*envelope.Envelope{e})
	return e.Append(nil)
}

func TestStrangerFillsItsHalfOfTheInboxAndNoMore(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	var to envelope.Recipient
	for i := range 3 { // strangers share their half
		mallory := newVillain(t)
		to = mallory.greet(v.link, mallory.hello())
		codes := mallory.envelopes(v.link).flood(400, func(n int) []byte {
			return mallory.content(t, to, message.Content{Type: "text/plain", Body: fmt.Appendf(nil, "%16d%1024d", i, n)})
		})
		t.Logf("stranger %d: taken %d, busy %d", i, codes[envelope.Taken], codes[envelope.Busy])
		if codes[envelope.Taken]+codes[envelope.Busy] != 400 || i > 0 && codes[envelope.Taken] > 0 {
			t.Errorf("answered %v", codes)
		}
		v.honest()
	}
	after := v.bounded(before)
	rows := 0
	for text, n := range after.Inbox {
		if text[0] == ' ' {
			rows += n
		}
	}
	if most := 512 << 10 / 1024; rows == 0 || rows > most {
		t.Errorf("strangers have %d rows, want some and at most %d", rows, most)
	}
}

func TestEnvelopesThatCarryReceiptsAreBounded(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	mallory := newVillain(t)
	to := mallory.greet(v.link, mallory.hello())
	body := receiptFrame(mallory.receipt(ack.Delivered, to.Node, time.Now(), ack.Entry{}))
	codes := mallory.envelopes(v.link).flood(6000, func(int) []byte {
		return mallory.content(t, to, message.Content{Type: message.TypeReceipts, Body: body})
	})
	t.Logf("taken %d, busy %d", codes[envelope.Taken], codes[envelope.Busy])
	if codes[envelope.Taken] > 4096 || codes[envelope.Busy] == 0 {
		t.Errorf("answered %v: the duplicate window has no bound", codes)
	}
	v.bounded(before)
	v.honest()
}

// Each is cheap to send, and full of signatures to be verified.
func TestEnvelopesFullOfReceiptsDoNotPileUp(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	mallory := newVillain(t)
	to := mallory.greet(v.link, mallory.hello())
	var entries []ack.Entry
	for range ack.MaxEntries {
		entries = append(entries, ack.Entry{ID: envelope.NewID(time.Now())})
	}
	var receipts [][]byte
	for range ack.MaxReceipts {
		receipts = append(receipts, mallory.receipt(ack.Delivered, to.Node, time.Now(), entries...))
	}
	full := message.Content{Type: message.TypeReceipts, Body: receiptFrame(receipts...)}
	frames := make([][]byte, 160)
	for i := range frames {
		frames[i] = mallory.content(t, to, full)
	}
	codes := mallory.envelopes(v.link).flood(len(frames), func(i int) []byte { return frames[i] })
	t.Logf("answered %v", codes)
	after := v.order(order{}) // while they are being verified
	t.Logf("goroutines %d → %d", before.Goroutines, after.Goroutines)
	if more := after.Goroutines - before.Goroutines; more > 64 {
		t.Errorf("%d goroutines more, each with an envelope of %d KiB", more, len(frames[0])>>10)
	}
	v.honest()
	v.bounded(before)
}

func TestWhatCannotBeOpenedLeavesNothing(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	mallory := newVillain(t)
	to := mallory.greet(v.link, mallory.hello())
	var public [32]byte
	_, _ = rand.Read(public[:])
	to.Public = public
	codes := mallory.envelopes(v.link).flood(20_000, func(int) []byte {
		return mallory.content(t, to, message.Content{Type: "text/plain", Body: []byte("?")})
	})
	if codes[envelope.Taken] != 20_000 {
		t.Errorf("answered %v", codes)
	}
	if after := v.bounded(before); len(after.Inbox) != len(before.Inbox) {
		t.Errorf("the inbox is now %v", after.Inbox)
	}
	v.honest()
}

// Receipts for authors who are away travel in envelopes of their own, which
// take room in the outbox. When it is used up, others must not have to wait.
func TestReceiptsForAuthorsWhoAreAwayHoldUpNobodyElse(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	mallory := newVillain(t)
	to := mallory.greet(v.link, mallory.hello())
	to.Public = [32]byte{9} // nobody can open it: not even the window remembers
	codes := mallory.envelopes(v.link).flood(600, func(int) []byte {
		away := newAuthor(t)
		return away.content(t, to, message.Content{Type: "text/plain", Body: []byte("?")})
	})
	t.Logf("answered %v", codes)
	for range 5 {
		v.honest()
	}
	late := time.After(3 * time.Second) // by now the receipts take to envelopes
	slowest := time.Duration(0)
	for over := false; !over; {
		select {
		case <-late:
			over = true
		default:
			slowest = max(slowest, v.honest())
		}
	}
	slowest = max(slowest, v.honest())
	t.Logf("the slowest honest exchange took %v", slowest)
	if slowest > 3*time.Second {
		t.Errorf("an honest exchange took %v beside it", slowest)
	}
	v.bounded(before)
}
