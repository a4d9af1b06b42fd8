package reputation

import (
	"bytes"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Book holds the records of at most 4 096 peers. It is not safe for concurrent
// use.
type Book struct {
	records map[protocols.Key]*Record
}

// NewBook makes a book with records of an earlier run, the newest of them if
// they are too many. One that lies in the future is taken for one of now: the
// clock was wrong then.
func NewBook(now time.Time, kept []Record) *Book {
	b := &Book{records: make(map[protocols.Key]*Record)}
	slices.SortFunc(kept, func(a, c Record) int { return c.Used.Compare(a.Used) })
	for _, r := range kept[:min(len(kept), maxPeers)] {
		r = r.sound(now)
		b.records[r.Peer] = &r
	}
	return b
}

// sound holds what came from a disk to what this package would have written.
func (r Record) sound(now time.Time) Record {
	for _, count := range []*float64{&r.Work, &r.Success, &r.Proved, &r.Silent, &r.Lost, &r.Served} {
		if !(*count >= 0 && *count <= 1e12) { // NaN too
			*count = 0
		}
	}
	for _, at := range []*time.Time{&r.At, &r.Used, &r.FailedAt} {
		if at.After(now) {
			*at = now
		}
	}
	r.Latency, r.Streak = max(r.Latency, 0), min(max(r.Streak, 0), 64)
	return r
}

// Took notes that a peer said it has an envelope of ours: some work, for a word
// is not a receipt.
func (b *Book) Took(now time.Time, p protocols.Key, latency time.Duration) {
	r := b.touch(now, p)
	r.Success++
	r.Work += answerWorth
	r.Latency = smooth(r.Latency, latency)
	r.Streak = 0
	r.Used = now
}

// Proved notes that a receipt came for an envelope that a peer had taken.
func (b *Book) Proved(now time.Time, p protocols.Key) {
	r := b.touch(now, p)
	r.Proved++
	r.Work += receiptWorth
	r.Streak = 0
	r.Used = now
}

// Silent notes that a peer did not answer, or had no way on.
func (b *Book) Silent(now time.Time, p protocols.Key) {
	r := b.touch(now, p)
	r.Silent++
	r.failed(now)
}

// Lost notes that a peer took an envelope of which no receipt came.
func (b *Book) Lost(now time.Time, p protocols.Key) {
	r := b.touch(now, p)
	r.Lost++
	r.Work = max(r.Work-answerWorth, 0)
	r.failed(now)
}

func (r *Record) failed(now time.Time) {
	r.Streak = min(r.Streak+1, 64)
	r.FailedAt, r.Used = now, now
}

// Served notes that this node passed on an envelope of so many bytes for a peer.
func (b *Book) Served(now time.Time, p protocols.Key, size int) {
	r := b.touch(now, p)
	r.Served += 1 + float64(size)/workUnit
}

// Weight is the peer's share of a contended queue, 1 for whom nothing is known.
func (b *Book) Weight(now time.Time, p protocols.Key) float64 {
	return b.Record(now, p).weight()
}

// Record is what is known of a peer now; a neutral one if that is nothing.
func (b *Book) Record(now time.Time, p protocols.Key) Record {
	if r, ok := b.records[p]; ok {
		return r.faded(now)
	}
	return Record{Peer: p, At: now}
}

// Why explains the weight of a peer.
func (b *Book) Why(now time.Time, p protocols.Key) Explanation {
	r := b.Record(now, p)
	_, known := b.records[p]
	return Explanation{Record: r, Known: known, Weight: r.weight(), Terms: r.terms()}
}

// Records are all that is worth keeping, by peer.
func (b *Book) Records(now time.Time) []Record {
	all := make([]Record, 0, len(b.records))
	for _, r := range b.records {
		if f := r.faded(now); !f.blank(now) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, c Record) int { return bytes.Compare(a.Peer[:], c.Peer[:]) })
	return all
}

// blank says that a record has faded to what an unknown peer has.
func (r *Record) blank(now time.Time) bool {
	return r.Work+r.Success+r.Proved+r.Silent+r.Lost+r.Served == 0 && now.Sub(r.FailedAt) > HalfLife
}

// touch brings a record up to date, or begins one.
func (b *Book) touch(now time.Time, p protocols.Key) *Record {
	r, ok := b.records[p]
	if !ok {
		b.makeRoom(now)
		r = &Record{Peer: p, At: now}
		b.records[p] = r
	}
	*r = r.faded(now)
	return r
}

// makeRoom forgets, of some records, the one least to be missed: a crowd that is
// new each day must not push out who did our work.
func (b *Book) makeRoom(now time.Time) {
	if len(b.records) < maxPeers {
		return
	}
	const sample = 16
	var least *Record
	n := 0
	for _, r := range b.records {
		if least == nil || r.merit(now) < least.merit(now) {
			least = r
		}
		if n++; n == sample {
			break
		}
	}
	delete(b.records, least.Peer)
}

// merit is how much would be lost with a record: work we were done, and what we
// know to avoid. What a peer took of us it could shed with a new key.
func (r *Record) merit(now time.Time) float64 {
	f := r.faded(now)
	return f.Work + f.Silent + f.Lost + f.Served/8
}

func smooth(old, measured time.Duration) time.Duration {
	if old == 0 {
		return measured
	}
	return old + time.Duration(float64(measured-old)*latencyShare)
}
