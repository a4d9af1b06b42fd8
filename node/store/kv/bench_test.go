package kv_test

import (
	"fmt"
	"testing"

	"github.com/tom-protocol/tom/node/store/kv"
)

// BenchmarkApply writes rows of 700 bytes in synced batches to a real disk.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := openDir(b, b.TempDir())
			value := make([]byte, 700)
			var batch kv.Batch
			for i := 0; b.Loop(); i++ {
				batch.Reset()
				for j := range size {
					batch.Put(fmt.Appendf(nil, "%012d-%04d", i, j), value)
				}
				must(b, s.Apply(&batch, true))
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkOpen opens a small database on a real disk, and closes it.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := openDir(b, dir)
	hundred(b, s)
	must(b, s.Close())
	for b.Loop() {
		s, err := kv.Open(dir, kv.Options{})
		must(b, err)
		must(b, s.Close())
	}
}
