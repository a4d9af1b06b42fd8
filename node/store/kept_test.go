package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/node/store/kv/kvtest"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
)

func (w *world) copyOf(n int) *store.Kept {
	now := w.clock.Now()
	return &store.Kept{
		Item: backup.Item{
			Digest: digest(n), ID: id(n), From: key(3), To: key(4), Asker: key(5), End: now.Add(time.Hour),
			Size: 600, Admitted: n%2 == 0, Holders: []protocols.Key{key(6), key(7)},
		},
		Stored: now, Admission: []byte("admission"),
	}
}

func encoded(n int) []byte { return fmt.Appendf(nil, "the sealed envelope %d", n) }

func (w *world) keep(n int) error {
	done := make(chan error, 1)
	w.Keep(w.copyOf(n), encoded(n), func(err error) { done <- err })
	return <-done
}

func (w *world) purge(n int, receipt []byte) error {
	done := make(chan error, 1)
	w.Purge(digest(n), receipt, func(err error) { done <- err })
	return <-done
}

// kept are the copies here, and what stays of others, by number.
func (w *world) kept() map[int]*store.Kept {
	w.t.Helper()
	all := make(map[int]*store.Kept)
	must(w.t, w.EachKept(func(k *store.Kept) { all[int(k.Digest[7])] = k }))
	return all
}

// bothKinds runs a test over a store in memory and one on disk, whose rows are
// opened anew by again.
func bothKinds(t *testing.T, test func(t *testing.T, w *world, again func() *world)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		test(t, w, func() *world { w = w.reopened(); return w })
	})
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		open := func() kv.Store {
			rows, err := kv.Open(dir, kv.Options{})
			must(t, err)
			return rows
		}
		w := openWorld(t, open(), &clock{now: noon}, store.Config{})
		test(t, w, func() *world {
			must(t, w.Close())
			w = openWorld(t, open(), w.clock, w.cfg)
			return w
		})
	})
}

func TestKeptCopiesSurviveARestart(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(t *testing.T, w *world, again func() *world) {
		for n := 1; n <= 3; n++ {
			must(t, w.keep(n))
		}
		w.KeepHolders(digest(2), w.copyOf(2).End, []protocols.Key{key(8)})
		want := map[int]*store.Kept{1: w.copyOf(1), 2: w.copyOf(2), 3: w.copyOf(3)}
		want[2].Holders = []protocols.Key{key(8)}
		for range 2 {
			if got := w.kept(); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got[2], want[2])
			}
			for n := 1; n <= 3; n++ {
				if b, err := w.KeptBytes(digest(n)); err != nil || !bytes.Equal(b, encoded(n)) {
					t.Errorf("copy %d: %q, %v", n, b, err)
				}
				if a, err := w.KeptAdmission(digest(n)); err != nil || string(a) != "admission" {
					t.Errorf("admission %d: %q, %v", n, a, err)
				}
			}
			w = again()
		}
	})
}

func TestAPurgeLeavesTheReceiptUntilTheEnd(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(t *testing.T, w *world, again func() *world) {
		must(t, w.keep(1))
		must(t, w.keep(2))
		must(t, w.keep(3))
		// As quick as can be: it must not overtake the copy it is for.
		first := make(chan error, 2)
		w.Keep(w.copyOf(4), encoded(4), func(err error) { first <- err })
		w.Purge(digest(4), []byte("receipt"), func(err error) { first <- err })
		must(t, errors.Join(<-first, <-first))
		must(t, w.purge(1, []byte("receipt")))
		must(t, w.purge(2, nil))
		must(t, w.purge(9, []byte("receipt"))) // of what was never here
		for range 2 {
			got := w.kept()
			if len(got) != 3 || string(got[1].Receipt) != "receipt" || string(got[4].Receipt) != "receipt" || got[3].Receipt != nil {
				t.Errorf("left: %+v", got)
			}
			if got[1].ID != id(1) || got[1].From != key(3) || got[1].To != key(4) {
				t.Errorf("left of the first: %+v", got[1])
			}
			for _, n := range []int{1, 2, 4, 9} {
				if _, err := w.KeptBytes(digest(n)); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("bytes of %d: %v", n, err)
				}
			}
			w = again()
		}
		now := w.clock.advance(time.Hour + time.Minute)
		must(t, w.Expire(now))
		if got := w.kept(); len(got) > 0 {
			t.Errorf("after the end: %+v", got)
		}
	})
}

// TestNoCopyIsReadableAfterItsEnd looks at a node that was off when the end
// came, before and after the rows are deleted.
func TestNoCopyIsReadableAfterItsEnd(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(t *testing.T, w *world, again func() *world) {
		must(t, w.keep(1))
		w.clock.advance(time.Hour)
		w = again()
		if _, err := w.KeptBytes(digest(1)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("at its end: %v", err)
		}
		if got := w.kept(); len(got) > 0 {
			t.Errorf("listed: %+v", got)
		}
		rows := 0
		count := func([]byte, []byte) (bool, error) { rows++; return true, nil }
		now := w.clock.advance(time.Minute)
		must(t, w.Expire(now))
		for _, table := range []byte{'h', 'l', 'g'} {
			must(t, w.kv.Scan([]byte{table}, []byte{table + 1}, count))
		}
		if rows > 0 {
			t.Errorf("%d rows left", rows)
		}
	})
}

func TestAFullDiskKeepsNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.keep(1))
	w.kv.(*kv.MemoryStore).SetFault(func(*kv.Batch, bool) error { return kv.ErrDiskFull })
	if err := w.keep(2); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("keep: %v", err)
	}
	if err := w.purge(1, []byte("receipt")); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("purge: %v", err)
	}
	w.kv.(*kv.MemoryStore).SetFault(nil)
	if got := w.kept(); len(got) != 1 || got[1].Receipt != nil {
		t.Errorf("kept %+v", got)
	}
	must(t, w.keep(2))
	must(t, w.purge(1, []byte("receipt")))
	if got := w.reopened().kept(); len(got) != 2 || got[1].Receipt == nil {
		t.Errorf("kept %+v", got)
	}
}

// TestWhatWasSignedForSurvivesACrashAtEverySync looks at what a power failure
// before each sync would have left: every copy that was confirmed, and of those
// that were purged by a receipt not one.
func TestWhatWasSignedForSurvivesACrashAtEverySync(t *testing.T) {
	t.Parallel()
	mem := kvtest.NewCrashable()
	wit := &witness{mem: mem, rng: rand.New(rand.NewPCG(3, 4)), ledger: ledger{}.clone()}
	rows, err := kv.Open("data", kv.Options{FS: errorfs.Wrap(mem, wit), Memtable: 64 << 10})
	must(t, err)
	w := openWorld(t, rows, &clock{now: noon}, store.Config{})
	for n := 1; n <= 60; n++ {
		must(t, w.keep(n))
		wit.note(func(l *ledger) { l.accepted[n] = true })
		if n%3 == 0 {
			must(t, w.purge(n, []byte("receipt")))
			wit.note(func(l *ledger) { l.received[n] = true })
		}
	}
	must(t, w.Close())
	if len(wit.moments) < 80 {
		t.Fatalf("only %d moments", len(wit.moments))
	}
	for i, m := range wit.moments {
		rows, err := kv.Open("data", kv.Options{FS: m.fs})
		must(t, err)
		w := openWorld(t, rows, &clock{now: noon}, store.Config{})
		kept := w.kept()
		for n := range m.then.accepted {
			k := kept[n]
			switch _, err := w.KeptBytes(digest(n)); {
			case k == nil:
				t.Errorf("moment %d: copy %d is lost", i, n)
			case m.then.received[n] && (k.Receipt == nil || err == nil):
				t.Errorf("moment %d: copy %d came back", i, n)
			case k.Receipt == nil && err != nil:
				t.Errorf("moment %d: copy %d: %v", i, n, err)
			}
		}
		must(t, w.Close())
	}
}

// TestATruncatedLastWriteLosesNoMore cuts the log of the database short.
func TestATruncatedLastWriteLosesNoMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows, err := kv.Open(dir, kv.Options{})
	must(t, err)
	w := openWorld(t, rows, &clock{now: noon}, store.Config{})
	for n := 1; n <= 20; n++ {
		must(t, w.keep(n))
	}
	image := t.TempDir()
	must(t, os.CopyFS(image, os.DirFS(dir))) // as SIGKILL leaves it
	logs, err := filepath.Glob(filepath.Join(image, "*.log"))
	must(t, err)
	slices.Sort(logs)
	newest := logs[len(logs)-1]
	info, err := os.Stat(newest)
	must(t, err)
	must(t, os.Truncate(newest, lastByte(t, newest, info.Size())-3))
	rows, err = kv.Open(image, kv.Options{})
	must(t, err)
	cut := openWorld(t, rows, w.clock, store.Config{})
	if got := cut.kept(); len(got) < 19 {
		t.Errorf("%d of 20 left", len(got))
	}
	must(t, cut.keep(20))
}

// lastByte is where the zeros that a log ends in begin.
func lastByte(t *testing.T, path string, size int64) int64 {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return int64(len(bytes.TrimRight(b[:size], "\x00")))
}
