package proof_test

import (
	"fmt"
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/proof"
)

func BenchmarkSign(b *testing.B) {
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			its, s := items(n), fixed.Author()
			b.ReportAllocs()
			for b.Loop() {
				proof.Sign(s, its)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			its, v, author := items(n), proof.NewVerifier(protocols.Main), fixed.Author().Public()
			proofs, i := proof.Sign(fixed.Author(), its), 0
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Verify(author, its[i].Tag, its[i].Message, proofs[i]); err != nil {
					b.Fatal(err)
				}
				i = (i + 1) % n
			}
		})
	}
}
