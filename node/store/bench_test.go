package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// plain is a shredder that costs nothing.
type plain struct{}

func (plain) Shred(_ time.Time, b []byte) ([]byte, error)   { return append(make([]byte, 40), b...), nil }
func (plain) Unshred(_ time.Time, b []byte) ([]byte, error) { return b[40:], nil }

// benchStore opens a store on a real disk.
func benchStore(b *testing.B) *store.Store {
	b.Helper()
	rows, err := kv.Open(b.TempDir(), kv.Options{})
	must(b, err)
	s, err := store.Open(store.Config{KV: rows, Shred: plain{}, InboxLimit: 1 << 40, OutboxLimit: 1 << 40})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	return s
}

// each runs work for batches until the benchmark ends, two under way at a time,
// as a sealer works while the disk syncs.
func each(b *testing.B, size int, work func(batch int, done func())) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := 0; b.Loop(); i++ {
		slots <- struct{}{}
		wg.Add(1)
		work(i, func() { <-slots; wg.Done() })
	}
	wg.Wait()
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(size*b.N), "µs/message")
}

// BenchmarkAccept puts messages of 256 bytes, sealed, into the outbox, synced.
func BenchmarkAccept(b *testing.B) {
	for _, size := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := benchStore(b)
			content, frame, now := make([]byte, 270), make([]byte, 700), time.Now()
			each(b, size, func(batch int, done func()) {
				out := make([]*store.Outgoing, size)
				for i := range out {
					out[i] = &store.Outgoing{
						ID: id(batch*size + i), To: key(2), Created: now, Lifetime: 24 * time.Hour,
						Content: content, Envelope: frame, Digest: envelope.Digest{1},
					}
				}
				s.Accept(out, func(_ store.Cursor, err error) { must(b, err); done() })
			})
		})
	}
}

// BenchmarkReceive puts messages of 256 bytes into the inbox, synced, after a
// look at the duplicate window.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := benchStore(b)
			content, now := make([]byte, 270), time.Now()
			each(b, size, func(batch int, done func()) {
				in := make([]*store.Incoming, size)
				for i := range in {
					n := batch*size + i
					if _, seen, err := s.Seen(key(3), id(n)); seen != store.Fresh || err != nil {
						b.Fatal(seen, err)
					}
					in[i] = &store.Incoming{
						ID: id(n), From: key(3), Digest: digest(n), Created: now, End: now.Add(24 * time.Hour),
						Received: now, Path: "direct", Content: content,
					}
				}
				s.Receive(in, func(_ store.Cursor, err error) { must(b, err); done() })
			})
		})
	}
}

// BenchmarkDeliver takes messages the whole way of their sender: accepted,
// synced, then sent and delivered, with their receipts, written behind.
func BenchmarkDeliver(b *testing.B) {
	for _, size := range []int{64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := benchStore(b)
			content, frame, receipt, now := make([]byte, 270), make([]byte, 700), make([]byte, 2200), time.Now()
			each(b, size, func(batch int, done func()) {
				out := make([]*store.Outgoing, size)
				for i := range out {
					out[i] = &store.Outgoing{
						ID: id(batch*size + i), To: key(2), Created: now, Lifetime: 24 * time.Hour,
						Content: content, Envelope: frame, Digest: envelope.Digest{1},
					}
				}
				s.Accept(out, func(_ store.Cursor, err error) {
					must(b, err)
					s.SaveStatus(statuses(out, delivery.Sent, 0))
					ref := s.SaveReceipt(receipt, out[0].End())
					s.SaveStatus(statuses(out, delivery.Delivered, ref))
					done()
				})
			})
		})
	}
}

func statuses(out []*store.Outgoing, state delivery.State, receipt store.ReceiptRef) []store.Status {
	all := make([]store.Status, len(out))
	for i, o := range out {
		all[i] = store.Status{
			ID: o.ID, To: o.To, Created: o.Created, End: o.End(), State: state, Digest: o.Digest,
			ForwardSecret: true, Path: "direct", Receipt: receipt,
			Attempts: []delivery.Attempt{{At: o.Created, Path: "direct", Transport: "quic", Result: "taken"}},
		}
		all[i].Times[delivery.Queued], all[i].Times[state] = o.Created, o.Created
	}
	return all
}
