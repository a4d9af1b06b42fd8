package delivery

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func TestJudgeActsOnlyOnTheRecipientsWordForThisVeryMessage(t *testing.T) {
	t.Parallel()
	created := time.UnixMilli(1_700_000_000_000)
	letter := func(s State, control bool) Letter {
		return Letter{
			ID: envelope.ID{1}, From: alice, To: bob, Digest: envelope.Digest{5}, Control: control,
			Created: created, End: created.Add(time.Hour), State: s,
		}
	}
	receipt := func(kind ack.Kind) *ack.Receipt {
		return &ack.Receipt{
			Kind: kind, From: bob, To: alice, Time: uint64(created.Add(time.Minute).UnixMilli()),
			Entries: []ack.Entry{{ID: envelope.ID{1}, Digest: envelope.Digest{5}.Short()}},
		}
	}
	late := receipt(ack.Delivered)
	late.Time = uint64(created.Add(2 * time.Hour).UnixMilli())
	byCarol, toCarol, otherID, otherDigest := receipt(ack.Delivered), receipt(ack.Delivered), receipt(ack.Delivered), receipt(ack.Delivered)
	byCarol.From, toCarol.To = carol, carol
	otherID.Entries[0].ID, otherDigest.Entries[0].Digest = envelope.ID{2}, [16]byte{6}

	for name, c := range map[string]struct {
		letter  Letter
		receipt *ack.Receipt
		want    Verdict
	}{
		"delivered":                  {letter(Sent, false), receipt(ack.Delivered), Deliver},
		"delivered before sent":      {letter(Queued, false), receipt(ack.Delivered), Deliver},
		"delivered twice":            {letter(Delivered, false), receipt(ack.Delivered), Ignore},
		"read":                       {letter(Delivered, false), receipt(ack.Read), MarkRead},
		"read before delivered":      {letter(Sent, false), receipt(ack.Read), MarkRead},
		"delivered after read":       {letter(Read, false), receipt(ack.Delivered), Ignore},
		"unopenable":                 {letter(Sent, false), receipt(ack.Unopenable), Reseal},
		"unopenable after delivered": {letter(Delivered, false), receipt(ack.Unopenable), Ignore},
		"unopenable after the end":   {letter(Expired, false), receipt(ack.Unopenable), Ignore},
		"delivered after the end":    {letter(Expired, false), receipt(ack.Delivered), Deliver},
		"failed, and yet delivered":  {letter(Failed, false), receipt(ack.Delivered), Deliver},
		"signed after the end":       {letter(Expired, false), late, Ignore},
		"signed by another":          {letter(Sent, false), byCarol, Ignore},
		"for another author":         {letter(Sent, false), toCarol, Ignore},
		"for another id":             {letter(Sent, false), otherID, Ignore},
		"for another body":           {letter(Sent, false), otherDigest, Ignore},
		"got, for a message":         {letter(Sent, false), receipt(ack.Got), Ignore},
		"got, for receipts":          {letter(Sent, true), receipt(ack.Got), Deliver},
		"delivered, for receipts":    {letter(Sent, true), receipt(ack.Delivered), Ignore},
	} {
		if got := Judge(c.letter, c.receipt, 0); got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
	}
}
