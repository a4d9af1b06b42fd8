package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/tom-protocol/tom/node/store/kv"
	"pgregory.net/rapid"
)

// rig is one kind of store under test, and what can befall it.
type rig interface {
	open(t testing.TB) kv.Store
	// crash returns the store as a power failure now leaves it; the old one must
	// not be used any more. rng decides how much of what was not synced stays.
	crash(t testing.TB, rng *rand.Rand) kv.Store
	// fail makes every write fail from now on, as a full disk does, until mend.
	fail()
	mend()
}

// rigs are all kinds of store: one suite holds them to the same promises.
func rigs() map[string]func() rig {
	return map[string]func() rig{
		"memory": func() rig { return &memoryRig{} },
		"pebble": func() rig { return newPebbleRig() },
	}
}

func eachRig(t *testing.T, test func(t *testing.T, r rig)) {
	t.Parallel()
	for name, make := range rigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make())
		})
	}
}

func contents(t testing.TB, s kv.Store) map[string]string {
	t.Helper()
	all := make(map[string]string)
	must(t, s.Scan(nil, nil, func(k, v []byte) (bool, error) {
		all[string(k)] = string(v)
		return true, nil
	}))
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(pairs ...string) *kv.Batch {
	var b kv.Batch
	for i := 0; i < len(pairs); i += 2 {
		b.Put([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	return &b
}

func TestGetAndScan(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		must(t, s.Apply(put("a", "1", "b", "2", "c", "", "d", "4"), true))
		for k, want := range map[string]string{"a": "1", "c": ""} {
			v, ok, err := s.Get([]byte(k))
			if err != nil || !ok || string(v) != want {
				t.Errorf("get %q: %q, %v, %v", k, v, ok, err)
			}
		}
		if v, ok, err := s.Get([]byte("e")); ok || err != nil {
			t.Errorf("get of a key that is not there: %q, %v, %v", v, ok, err)
		}
		var keys []string
		must(t, s.Scan([]byte("b"), []byte("d"), func(k, _ []byte) (bool, error) {
			keys = append(keys, string(k))
			return true, nil
		}))
		if !slices.Equal(keys, []string{"b", "c"}) {
			t.Errorf("scanned %q", keys)
		}
	})
}

func TestScanStopsWhenToldAndPassesErrorsOn(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		must(t, s.Apply(put("a", "1", "b", "2"), false))
		n := 0
		must(t, s.Scan(nil, nil, func(_, _ []byte) (bool, error) { n++; return false, nil }))
		if n != 1 {
			t.Errorf("%d rows after the stop", n)
		}
		mine := errors.New("mine")
		if err := s.Scan(nil, nil, func(_, _ []byte) (bool, error) { return true, mine }); !errors.Is(err, mine) {
			t.Errorf("error %v", err)
		}
	})
}

func TestScanSeesOneMoment(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		must(t, s.Apply(put("a", "1", "b", "2"), false))
		n := 0
		must(t, s.Scan(nil, nil, func(_, _ []byte) (bool, error) {
			n++
			return true, s.Apply(put(fmt.Sprintf("c%d", n), "x"), false)
		}))
		if n != 2 || len(contents(t, s)) != 4 {
			t.Errorf("%d rows scanned, %d there", n, len(contents(t, s)))
		}
	})
}

func TestLaterChangesOfABatchWin(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		b := put("a", "1", "b", "2", "c", "3")
		b.Delete([]byte("a"))
		b.DeleteRange([]byte("b"), []byte("d"))
		b.Put([]byte("c"), []byte("new"))
		must(t, s.Apply(b, true))
		if got := contents(t, s); !maps.Equal(got, map[string]string{"c": "new"}) {
			t.Errorf("rows %v", got)
		}
	})
}

func TestValuesAreCopies(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		k, v := []byte("k"), []byte("value")
		var b kv.Batch
		b.Put(k, v)
		k[0], v[0] = 'x', 'x'
		must(t, s.Apply(&b, false))
		b.Reset()
		b.Put([]byte("z"), bytes.Repeat([]byte("z"), 100))
		got, _, err := s.Get([]byte("k"))
		must(t, err)
		got[0] = 'y'
		again, _, err := s.Get([]byte("k"))
		must(t, err)
		if string(again) != "value" {
			t.Errorf("value %q", again)
		}
	})
}

func TestClosedStoreSaysSo(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		must(t, s.Apply(put("a", "1"), false))
		must(t, s.Close())
		_, _, getErr := s.Get([]byte("a"))
		errs := []error{
			getErr, s.Apply(put("a", "2"), true), s.Close(),
			s.Scan(nil, nil, func(_, _ []byte) (bool, error) { return true, nil }),
		}
		for i, err := range errs {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		again := r.crash(t, rand.New(rand.NewPCG(1, 1)))
		if got := contents(t, again); got["a"] != "1" {
			t.Errorf("rows after close: %v", got)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					k := fmt.Sprintf("%d-%d", g, i)
					if err := s.Apply(put(k, k), i%10 == 0); err != nil {
						t.Error(err)
					}
					if v, ok, err := s.Get([]byte(k)); !ok || err != nil || string(v) != k {
						t.Errorf("own write %q: %q, %v, %v", k, v, ok, err)
					}
				}
			})
		}
		wg.Wait()
		if n := len(contents(t, s)); n != 400 {
			t.Errorf("%d rows", n)
		}
		if s.Size() <= 0 {
			t.Error("it takes no room")
		}
	})
}

// TestTheTwinTakesTheRoomOfItsRows: whatever was put, replaced and deleted, it counts
// what is there.
func TestTheTwinTakesTheRoomOfItsRows(t *testing.T) {
	t.Parallel()
	s := kv.Memory()
	var gone kv.Batch
	gone.Delete([]byte("b"))
	gone.Delete([]byte("d"))
	for _, b := range []*kv.Batch{put("a", "1", "b", "22"), put("a", "333", "b", ""), put("c", "4", "c", "55555"), &gone} {
		must(t, s.Apply(b, true))
	}
	if got, want := s.Size(), int64(len("a333c55555")); got != want {
		t.Errorf("it takes %d bytes, want %d", got, want)
	}
}

// TestTheTwinCrashesInAnyStateSinceTheLastSync: each of the last ones is there to be
// chosen, and the store it is taken of stays as it was.
func TestTheTwinCrashesInAnyStateSinceTheLastSync(t *testing.T) {
	t.Parallel()
	const most = 64
	rapid.Check(t, func(rt *rapid.T) {
		s := kv.Memory()
		states := []map[string]string{{}}
		for range rapid.SampledFrom([]int{5, most, most + 20}).Draw(rt, "batches") {
			st := genStep(rt)
			st.sync = st.sync && rapid.IntRange(0, 15).Draw(rt, "seldom") == 0
			must(t, s.Apply(st.batch(), st.sync))
			next := maps.Clone(states[len(states)-1])
			st.apply(next)
			switch {
			case st.sync:
				states = nil
			case len(states) > most:
				states = slices.Delete(states, 1, 2)
			}
			states = append(states, next)
		}
		for n, want := range states {
			if got := contents(t, s.Crash(n)); !maps.Equal(got, want) {
				rt.Fatalf("behind %d of %d batches: %v, want %v", n, len(states)-1, got, want)
			}
		}
		if got := contents(t, s); !maps.Equal(got, states[len(states)-1]) {
			rt.Fatalf("a crash of its twin left %v", got)
		}
	})
}

// TestFailedWriteEndsWriting: a write that fails half-way is the last; what was
// synced is there after reopening, and nothing is torn.
func TestFailedWriteEndsWriting(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		s := r.open(t)
		must(t, s.Apply(put("a", "1"), true))
		r.fail()
		if err := s.Apply(put("b", "1", "c", "1"), true); !errors.Is(err, kv.ErrFailed) || !errors.Is(err, kv.ErrDiskFull) {
			t.Errorf("failed write: %v", err)
		}
		r.mend()
		if err := s.Apply(put("d", "1"), true); !errors.Is(err, kv.ErrFailed) {
			t.Errorf("write after a failed one: %v", err)
		}
		if v, ok, err := s.Get([]byte("a")); !ok || err != nil || string(v) != "1" {
			t.Errorf("read after a failed write: %q, %v, %v", v, ok, err)
		}
		_ = s.Close()
		got := contents(t, r.crash(t, rand.New(rand.NewPCG(1, 1))))
		_, b := got["b"]
		_, c := got["c"]
		if got["a"] != "1" || b != c || got["d"] != "" {
			t.Errorf("rows after reopening: %v", got)
		}
	})
}

// step is one batch of the crash property.
type step struct {
	changes []change
	sync    bool
}

type change struct {
	op       int // 0, 1: put, 2: delete, 3: delete range
	key, end string
	value    string
}

func (s step) batch() *kv.Batch {
	var b kv.Batch
	for _, c := range s.changes {
		switch c.op {
		case 2:
			b.Delete([]byte(c.key))
		case 3:
			b.DeleteRange([]byte(c.key), []byte(c.end))
		default:
			b.Put([]byte(c.key), []byte(c.value))
		}
	}
	return &b
}

func (s step) apply(m map[string]string) {
	for _, c := range s.changes {
		switch c.op {
		case 2:
			delete(m, c.key)
		case 3:
			maps.DeleteFunc(m, func(k, _ string) bool { return c.key <= k && k < c.end })
		default:
			m[c.key] = c.value
		}
	}
}

func genStep(t *rapid.T) step {
	key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%02d", rapid.IntRange(0, 20).Draw(t, "k")) })
	n := rapid.IntRange(1, 6).Draw(t, "changes")
	s := step{sync: rapid.IntRange(0, 3).Draw(t, "sync") == 0}
	for range n {
		c := change{
			op: rapid.IntRange(0, 3).Draw(t, "op"), key: key.Draw(t, "key"), end: key.Draw(t, "end"),
			value: rapid.StringN(0, 30, 60).Draw(t, "value"),
		}
		if c.end <= c.key {
			c.end = c.key + "~"
		}
		s.changes = append(s.changes, c)
	}
	return s
}

// TestCrashKeepsAPrefixWithAllThatWasSynced is the promise everything above
// builds on: after a crash the store is as after some number of batches, no
// fewer than up to the last synced one.
func TestCrashKeepsAPrefixWithAllThatWasSynced(t *testing.T) {
	t.Parallel()
	for name, make := range rigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				r := make()
				s := r.open(t)
				states := []map[string]string{{}}
				crashes := rapid.IntRange(1, 2).Draw(rt, "crashes")
				for range crashes {
					least := len(states) - 1
					for range rapid.IntRange(1, 8).Draw(rt, "batches") {
						st := genStep(rt)
						must(t, s.Apply(st.batch(), st.sync))
						next := maps.Clone(states[len(states)-1])
						st.apply(next)
						states = append(states, next)
						if st.sync {
							least = len(states) - 1
						}
					}
					s = r.crash(t, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)))
					got := contents(t, s)
					i := len(states) - 1
					for i >= least && !maps.Equal(states[i], got) {
						i--
					}
					if i < least {
						rt.Fatalf("rows %v are of no moment since the last sync, which left %v", got, states[least])
					}
					states = states[:i+1]
				}
				_ = s.Close()
			})
		})
	}
}
