package discovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

func somebody(t *testing.T, addrs ...string) peer.AddrInfo {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	info := peer.AddrInfo{ID: id}
	for _, text := range addrs {
		info.Addrs = append(info.Addrs, multiaddr.StringCast(text))
	}
	return info
}

// town is where a service under test connects to people.
type town struct {
	mu        sync.Mutex
	away      map[peer.ID]bool
	connected map[peer.ID]bool
	dials     map[peer.ID]int
}

func newTown() *town {
	return &town{away: map[peer.ID]bool{}, connected: map[peer.ID]bool{}, dials: map[peer.ID]int{}}
}

func (w *town) connect(_ context.Context, info peer.AddrInfo) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dials[info.ID]++
	if w.away[info.ID] {
		return errors.New("nobody there")
	}
	w.connected[info.ID] = true
	return nil
}

func (w *town) config(self peer.ID, sources ...Source) Config {
	return Config{
		Self: self, Sources: sources, Connect: w.connect,
		Connected: func(id peer.ID) bool { w.mu.Lock(); defer w.mu.Unlock(); return w.connected[id] },
		Count:     func() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.connected) },
	}
}

func (w *town) dialled(id peer.ID) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials[id]
}

type broken struct{ runs int }

func (*broken) Name() string { return "broken" }

func (b *broken) Run(context.Context, func(peer.AddrInfo)) error {
	b.runs++
	return errors.New("cannot work here")
}

func TestServiceConnectsOnceAndLeavesTheConnectedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		me, bob := somebody(t), somebody(t, "/ip4/127.0.0.1/tcp/1000")
		w, bad := newTown(), new(broken)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		s := New(w.config(me.ID, bad, Bootstrap{bob, {ID: me.ID, Addrs: bob.Addrs}, {ID: somebody(t).ID}}))
		go func() { done <- s.Run(ctx) }()
		virtual.Pass(10 * time.Minute)
		cancel()
		<-done
		if n := w.dialled(bob.ID); n != 1 {
			t.Errorf("a connected peer was dialled %d times", n)
		}
		if w.dialled(me.ID) > 0 {
			t.Error("dialled itself")
		}
		if bad.runs < 5 || bad.runs > 12 {
			t.Errorf("a source that cannot work was tried %d times in ten minutes", bad.runs)
		}
	})
}

func TestServiceBacksOffAndDialsAtOnceAtANewAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bob := somebody(t, "/ip4/127.0.0.1/tcp/1000")
		w := newTown()
		w.away[bob.ID] = true
		s := New(w.config(somebody(t).ID))
		ctx := t.Context()
		for range 3600 {
			s.found(ctx, bob)
			virtual.Pass(time.Second)
		}
		if n := w.dialled(bob.ID); n < 12 || n > 40 {
			t.Errorf("%d dials in an hour", n)
		}
		before := w.dialled(bob.ID)
		bob.Addrs = append(bob.Addrs, multiaddr.StringCast("/ip4/127.0.0.1/tcp/2000"))
		s.found(ctx, bob)
		synctest.Wait()
		if w.dialled(bob.ID) != before+1 {
			t.Error("a new address was not dialled at once")
		}
		s.work.Wait()
	})
}

func TestServiceIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown()
		s := New(w.config(somebody(t).ID))
		for range 3 * enough {
			s.found(t.Context(), somebody(t, "/ip4/127.0.0.1/tcp/1000"))
			synctest.Wait()
		}
		if n := len(w.connected); n > enough {
			t.Errorf("connected to %d", n)
		}
		many := somebody(t)
		for range 1000 {
			many.Addrs = append(many.Addrs, multiaddr.StringCast("/ip4/127.0.0.1/tcp/1000"))
		}
		s.found(t.Context(), many)
		s.work.Wait()
		if len(s.candidates) > maxCandidates {
			t.Errorf("%d candidates", len(s.candidates))
		}
	})
}

func TestServiceDialsHardlyMoreThanAreMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown()
		cfg := w.config(somebody(t).ID)
		cfg.Enough = 4
		cfg.Connect = func(ctx context.Context, info peer.AddrInfo) error {
			<-time.After(time.Second)
			return w.connect(ctx, info)
		}
		s := New(cfg)
		for range 100 {
			s.found(t.Context(), somebody(t, "/ip4/127.0.0.1/tcp/1000"))
		}
		s.work.Wait()
		if n := len(w.connected); n != cfg.Enough+spareDials {
			t.Errorf("connected to %d where %d are enough", n, cfg.Enough)
		}
	})
}

func TestCacheNamesWhoIsNewWhereNobodyIsWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := OpenCache("")
		if err != nil {
			t.Fatal(err)
		}
		var wanted atomic.Bool
		wanted.Store(true)
		c.Wanted = wanted.Load
		var mu sync.Mutex
		named := make(map[peer.ID]int)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		old, met := somebody(t, "/ip4/192.0.2.1/tcp/1"), somebody(t, "/ip4/192.0.2.2/tcp/1")
		c.Met(old, time.Now(), false)
		go func() {
			_ = c.Run(ctx, func(info peer.AddrInfo) {
				mu.Lock()
				defer mu.Unlock()
				named[info.ID]++
			})
		}()
		virtual.Pass(time.Second)
		rounds := func(n int) map[peer.ID]int {
			mu.Lock()
			clear(named)
			mu.Unlock()
			virtual.Pass(time.Duration(n) * cacheInterval)
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(named)
		}
		if got := rounds(3); got[old.ID] != 3 {
			t.Errorf("named %d times in three rounds", got[old.ID])
		}
		wanted.Store(false)
		c.Met(met, time.Now(), false)
		if got := rounds(3); got[old.ID] != 0 || got[met.ID] != 1 {
			t.Errorf("nobody is wanted, and %d and %d times they are named", got[old.ID], got[met.ID])
		}
		wanted.Store(true)
		if got := rounds(1); got[old.ID] != 1 {
			t.Error("not named again")
		}
	})
}

// hears runs a source until it has named somebody.
func hears(t *testing.T, src Source, want peer.ID) peer.AddrInfo {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := make(chan peer.AddrInfo, 1)
	err := src.Run(ctx, func(info peer.AddrInfo) {
		if info.ID == want {
			select {
			case heard <- info:
			default:
			}
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case info := <-heard:
		return info
	default:
		t.Fatal("nobody was named")
		return peer.AddrInfo{}
	}
}

func TestRendezvousNamesTheOthersAndCleansUp(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tom", "main")
	alice, bob := somebody(t, "/ip4/127.0.0.1/tcp/1000"), somebody(t, "/ip4/127.0.0.1/tcp/2000")
	source := func(info peer.AddrInfo) *Rendezvous {
		return NewRendezvous(dir, func() peer.AddrInfo { return info })
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- source(bob).Run(ctx, func(peer.AddrInfo) {}) }()
	if info := hears(t, source(alice), bob.ID); !info.Addrs[0].Equal(bob.Addrs[0]) {
		t.Errorf("bob is said to be at %v", info.Addrs)
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder mode %v, %v", st.Mode(), err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRendezvousIgnoresGarbageAndRemovesWhatIsStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	bob := somebody(t, "/ip4/127.0.0.1/tcp/2000")
	r := NewRendezvous(dir, func() peer.AddrInfo { return bob })
	for name, text := range map[string]string{
		"garbage.json": "{", "empty.json": "", "huge.json": strings.Repeat("x", maxFile+1),
		"foreign.json": `{"id":"nobody","addrs":["/ip4/127.0.0.1/tcp/1"]}`, "README": "hello",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	stale := r.file(bob.ID)
	if err := os.WriteFile(stale, []byte(r.notice()), 0o600); err != nil {
		t.Fatal(err)
	}
	long, notes := time.Now().Add(-time.Hour), filepath.Join(dir, "README")
	for _, path := range []string{stale, notes} {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.look(func(info peer.AddrInfo) { t.Errorf("named %v", info) }); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Error("a killed daemon's file is still there")
	}
	if _, err := os.Stat(notes); err != nil {
		t.Errorf("somebody's own old file: %v", err)
	}
}

func TestRendezvousRefusesAFolderOthersCanWriteTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	r := NewRendezvous(dir, func() peer.AddrInfo { return somebody(t) })
	if err := r.Run(t.Context(), nil); !errors.Is(err, errNotPrivate) {
		t.Fatalf("error %v", err)
	}
}

func TestCacheRemembersOverRestarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "peers.json")
	c, err := OpenCache(path)
	if err != nil {
		t.Fatal(err)
	}
	bob := somebody(t, "/ip4/127.0.0.1/tcp/2000")
	now := time.Now()
	for i := range 2 * maxCached {
		c.Met(somebody(t, "/ip4/127.0.0.1/tcp/1"), now.Add(time.Duration(i-2*maxCached)*time.Minute), false)
	}
	carol := somebody(t, "/ip4/127.0.0.1/tcp/3000")
	c.Met(carol, now.Add(-100*24*time.Hour), true)
	c.Met(somebody(t, "/ip4/127.0.0.1/tcp/1"), now.Add(-time.Hour), false)
	c.Met(bob, now, false)
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil {
		t.Fatal(err)
	}
	if all := c.peers(true); len(all) != maxCached || all[0].ID != bob.ID {
		t.Fatalf("%d peers, the first is %v", len(all), all[0].ID)
	}
	if a := c.Addrs(bob.ID); len(a) != 1 || !a[0].Equal(bob.Addrs[0]) {
		t.Fatalf("bob at %v", a)
	}
	hears(t, c, bob.ID)
	hears(t, c, carol.ID) // a friend of long ago, in a crowd of strangers

	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil || len(c.peers(true)) != 0 {
		t.Fatalf("a damaged cache: %v, %v", c, err)
	}
}

func TestPeersCannotSpoilTheCache(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "peers.json")
	c, err := OpenCache(path)
	if err != nil {
		t.Fatal(err)
	}
	long := somebody(t, "/dns4/"+strings.Repeat("x", 2*maxAddr)+"/tcp/1")
	c.Met(long, time.Now(), false)
	if c.Addrs(long.ID) != nil {
		t.Error("an endless address was kept")
	}
	for range maxCached {
		wordy := somebody(t)
		for i := range maxAddrs {
			name := strings.Repeat("x", maxAddr-len("/dns4//tcp/10")) // as long as may be
			wordy.Addrs = append(wordy.Addrs, multiaddr.StringCast(fmt.Sprintf("/dns4/%s/tcp/%d", name, 10+i)))
		}
		c.Met(wordy, time.Now(), false)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil || len(c.peers(true)) != maxCached {
		t.Fatalf("the fullest cache: %v", err)
	}

	if err := os.WriteFile(path, make([]byte, maxCacheFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil || len(c.peers(true)) != 0 {
		t.Fatalf("a file that is far too large: %v", err)
	}
}

func TestNetworksHaveNamesOfTheirOwnOnTheLAN(t *testing.T) {
	t.Parallel()
	if ServiceName(protocols.Main) == ServiceName("test") {
		t.Fatal("two networks meet")
	}
}
