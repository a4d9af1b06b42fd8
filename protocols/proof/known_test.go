package proof

import (
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// The signature of a batch is verified once, however many of its members come together,
// and not again when it was good.
func TestTogetherABatchIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	v, s := NewVerifier(protocols.Main), fixed.Author()
	its := []Item{{protocols.TagEnvelope, []byte("one")}, {protocols.TagEnvelope, []byte("two")}, {protocols.TagEnvelope, []byte("three")}}
	var claims []Claim
	for i, p := range append(Sign(s, its), Sign(s, its[:1])...) {
		claims = append(claims, Claim{Author: s.Public(), Tag: protocols.TagEnvelope, Message: its[i%3].Message, Proof: p})
	}
	for _, want := range []int{2, 1} { // the batch, and the plain signature
		all := together{v: v}
		for _, c := range claims {
			if err := all.add(c); err != nil {
				t.Fatal(err)
			}
		}
		if len(all.list) != want {
			t.Errorf("%d signatures; want %d", len(all.list), want)
		}
		if err := all.verify(); err != nil {
			t.Error(err)
		}
	}
}
