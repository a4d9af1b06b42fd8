package envelope

import (
	"fmt"
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

func BenchmarkSeal(b *testing.B) {
	for _, n := range []int{256, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			s, text, id := fixedSealer(), make([]byte, n), NewID(now())
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if _, err := s.Seal(toPrekeyOnce, id, fixed.Created, MaxLifetime, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var toPrekeyOnce = toPrekey()

func BenchmarkSign(b *testing.B) {
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			es, s := sealed(b, fixedSealer(), n), fixed.Author()
			b.ReportAllocs()
			for b.Loop() {
				Sign(s, es)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/envelope")
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	e := sealed(b, fixedSealer(), 32)[7]
	dst := e.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = e.Append(dst[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	wire := sealed(b, fixedSealer(), 32)[7].Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	wire := sealed(b, fixedSealer(), 32)[7].Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		e, err := Parse(wire)
		if err != nil {
			b.Fatal(err)
		}
		e.Digest()
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			es, v, i := sealed(b, fixedSealer(), n), NewVerifier(protocols.Main), 0
			b.ReportAllocs()
			for b.Loop() {
				if err := v.Verify(es[i]); err != nil {
					b.Fatal(err)
				}
				i = (i + 1) % n
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	e, o := sealed(b, fixedSealer(), 1)[0], fixedOpener()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Open(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewID(fixed.Created)
	}
}
