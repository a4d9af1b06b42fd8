package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// noon is when the tests begin.
var noon = time.UnixMilli(1_800_000_000_000)

// clock is a time that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

var errShredded = errors.New("shredded")

// shredder stands in for the vault: its "key" of a minute is the minute, and it
// forgets those before the clock's.
type shredder struct{ clock *clock }

func (s shredder) Shred(end time.Time, b []byte) ([]byte, error) {
	mark := binary.BigEndian.AppendUint32(nil, uint32(end.Unix()/60))
	sum := sha256.Sum256(append(mark, b...))
	return append(append(mark, sum[:16]...), flipped(b)...), nil
}

func (s shredder) Unshred(end time.Time, sealed []byte) ([]byte, error) {
	if len(sealed) < 20 || s.clock.Now().Unix()/60 > end.Unix()/60 {
		return nil, errShredded
	}
	if got, want := binary.BigEndian.Uint32(sealed), uint32(end.Unix()/60); got != want {
		return nil, fmt.Errorf("sealed for minute %d, opened for %d", got, want)
	}
	return flipped(sealed[20:]), nil
}

func flipped(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0xff
	}
	return out
}

// world is a store with what it stands on.
type world struct {
	*store.Store
	t     testing.TB
	kv    kv.Store
	clock *clock
	cfg   store.Config
}

func newWorld(t testing.TB) *world {
	return openWorld(t, kv.Memory(), &clock{now: noon}, store.Config{})
}

func openWorld(t testing.TB, rows kv.Store, c *clock, cfg store.Config) *world {
	t.Helper()
	cfg.KV, cfg.Shred, cfg.Now = rows, shredder{c}, c.Now
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &world{Store: s, t: t, kv: rows, clock: c, cfg: cfg}
}

// reopened closes a store in memory and opens what it left.
func (w *world) reopened() *world {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	return openWorld(w.t, w.kv.(*kv.MemoryStore).Crash(0), w.clock, w.cfg)
}

func key(n int) (k protocols.Key) {
	binary.BigEndian.PutUint64(k[:], uint64(n))
	return k
}

func id(n int) (i envelope.ID) {
	binary.BigEndian.PutUint64(i[8:], uint64(n))
	return i
}

func digest(n int) (d envelope.Digest) {
	binary.BigEndian.PutUint64(d[:], uint64(n))
	return d
}

func (w *world) outgoing(n int) *store.Outgoing {
	return &store.Outgoing{
		ID: id(n), To: key(2), Created: w.clock.Now(), Lifetime: time.Hour,
		Content: fmt.Appendf(nil, "content %d", n), Envelope: fmt.Appendf(nil, "envelope %d", n), Digest: digest(n),
		ForwardSecret: true,
	}
}

func (w *world) incoming(n int) *store.Incoming {
	now := w.clock.Now()
	return &store.Incoming{
		ID: id(n), From: key(3), Digest: digest(n), Created: now, End: now.Add(time.Hour), Received: now,
		Path: "direct", Content: fmt.Appendf(nil, "body %d", n),
	}
}

type result struct {
	first store.Cursor
	err   error
}

func (w *world) accept(out ...*store.Outgoing) (store.Cursor, error) {
	ch := make(chan result, 1)
	w.Accept(out, func(first store.Cursor, err error) { ch <- result{first, err} })
	r := <-ch
	return r.first, r.err
}

func (w *world) receive(in ...*store.Incoming) (store.Cursor, error) {
	ch := make(chan result, 1)
	w.Receive(in, func(first store.Cursor, err error) { ch <- result{first, err} })
	r := <-ch
	return r.first, r.err
}

func (w *world) setSealed(i envelope.ID, frame string, d envelope.Digest) error {
	ch := make(chan error, 1)
	w.SetSealed(i, []byte(frame), d, true, func(err error) { ch <- err })
	return <-ch
}

// settle waits until everything written behind is committed.
func (w *world) settle() {
	w.t.Helper()
	if err := w.SetMeta("settled", []byte("1")); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) events(since store.Cursor) (all []store.Event) {
	w.t.Helper()
	err := w.Events(since, func(e store.Event) (bool, error) {
		all = append(all, e)
		return true, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) inbox(q store.Query) (all []*store.Incoming) {
	w.t.Helper()
	err := w.Inbox(q, func(in *store.Incoming) (bool, error) {
		all = append(all, in)
		return true, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows counts the rows of each table.
func (w *world) rows() map[string]int {
	w.t.Helper()
	n := make(map[string]int)
	must(w.t, w.kv.Scan(nil, nil, func(k, _ []byte) (bool, error) {
		n[string(k[:1])]++
		return true, nil
	}))
	return n
}
