package store_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
)

var update = flag.Bool("update", false, "write the fixtures of this layout anew")

// fixture is the directory of a database that a version with that layout left.
func fixture(layout int) string { return filepath.Join("testdata", fmt.Sprintf("layout%d", layout)) }

// TestFixturesAreRead opens what the version of each layout has left: nothing in
// it is lost, and the next opening finds it up to date.
func TestFixturesAreRead(t *testing.T) {
	if *update {
		writeFixture(t, store.Layout, func(kv.Store) error { return nil })
		writeFixture(t, 0, store.Downgrade)
	}
	for layout := range store.Layout + 1 {
		t.Run(fmt.Sprintf("layout %d", layout), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "db")
			must(t, os.CopyFS(dir, os.DirFS(fixture(layout))))
			for range 2 {
				rows, err := kv.Open(dir, kv.Options{})
				must(t, err)
				w := openWorld(t, rows, &clock{now: noon.Add(time.Minute)}, store.Config{})
				checkFixture(t, w, layout)
				must(t, w.Close())
			}
		})
	}
}

// writeFixture makes a store with something in every table.
func writeFixture(t *testing.T, layout int, change func(kv.Store) error) {
	t.Helper()
	dir := fixture(layout)
	must(t, os.RemoveAll(dir))
	rows, err := kv.Open(dir, kv.Options{})
	must(t, err)
	w := openWorld(t, rows, &clock{now: noon}, store.Config{})
	must(t, w.SaveContact(store.Contact{Key: key(3), Name: "carol", Addrs: [][]byte{[]byte("addr")}, Added: noon}))
	must(t, w.SaveContact(store.Contact{Key: key(4), Muted: true}))
	if layout >= 2 {
		must(t, w.PeerEvent(key(3), 2))
	}
	if layout >= 3 {
		must(t, w.GroupEvents([][]byte{[]byte("a note"), make([]byte, 5000)}))
	}
	unsealed := w.outgoing(2)
	unsealed.Envelope = nil
	_, err = w.accept(w.outgoing(1), unsealed, w.outgoing(3))
	must(t, err)
	must(t, w.setSealed(id(2), "late", digest(2)))
	stranger := w.incoming(2)
	stranger.From, stranger.Stranger = key(5), true
	first, err := w.receive(w.incoming(1), stranger)
	must(t, err)
	_, err = w.MarkRead(noon.Add(time.Second), first)
	must(t, err)
	st := w.status(1, delivery.Delivered)
	st.Receipt = w.SaveReceipt([]byte("signed"), st.End)
	w.SaveStatus([]store.Status{st, w.status(3, delivery.Sent)})
	w.SavePrekeys(key(2), []byte("prekeys"))
	w.SaveAdmission(key(2), []byte("admission"), noon.Add(24*time.Hour))
	_, err = w.NextNumber(key(2))
	must(t, err)
	must(t, w.SetMeta("port", []byte("4001")))
	must(t, w.Close())
	rows, err = kv.Open(dir, kv.Options{})
	must(t, err)
	must(t, change(rows))
	must(t, rows.Close())
	must(t, os.Remove(filepath.Join(dir, "LOCK")))
}

func checkFixture(t *testing.T, w *world, layout int) {
	t.Helper()
	must(t, w.Audit())
	added := noon
	if layout == 0 {
		added = noon.Add(time.Minute) // when it was brought up to date
	}
	carol, ok := w.Contact(key(3))
	if !ok || carol.Name != "carol" || string(carol.Addrs[0]) != "addr" || !carol.Added.Equal(added) {
		t.Errorf("contact %+v", carol)
	}
	if muted, _ := w.Contact(key(4)); !muted.Muted || !muted.Added.IsZero() {
		t.Errorf("muted %+v", muted)
	}
	o, err := w.Load(id(2))
	must(t, err)
	if string(o.Content) != "content 2" || string(o.Envelope) != "late" {
		t.Errorf("outgoing %+v", o)
	}
	st, err := w.Status(id(1))
	must(t, err)
	raw, err := w.Receipt(st.Receipt)
	if st.State != delivery.Delivered || string(raw) != "signed" || err != nil {
		t.Errorf("status %+v, receipt %q, %v", st, raw, err)
	}
	if in := w.inbox(store.Query{}); len(in) != 2 || string(in[1].Content) != "body 2" || !in[1].Stranger || in[0].Read.IsZero() {
		t.Errorf("inbox %+v", in)
	}
	if d, seen, _ := w.Seen(key(5), id(2)); seen != store.Seen || d != digest(2) {
		t.Errorf("window %v, %v", d, seen)
	}
	prekeys, ok := w.Prekeys(key(2))
	admission, ok2 := w.Admission(key(2))
	if !ok || !ok2 || string(prekeys) != "prekeys" || string(admission) != "admission" || !w.WrittenTo(key(2)) {
		t.Errorf("peers: %q, %q", prekeys, admission)
	}
	if port, _, err := w.Meta("port"); string(port) != "4001" || err != nil {
		t.Errorf("setting %q, %v", port, err)
	}
	want := 10
	if layout >= 2 {
		want = 11 // one of a peer
	}
	if layout >= 3 {
		want = 12 // and one of a group
		if e := w.events(0)[3]; e.Kind != store.GroupChanged || string(e.Note) != "a note" {
			t.Errorf("event of a group %+v", e)
		}
	}
	if n := len(w.events(0)); n != want {
		t.Errorf("%d events, want %d", n, want)
	}
}

func TestNewerLayoutIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.Close())
	rows := w.kv.(*kv.MemoryStore).Crash(0)
	must(t, store.Stamp(rows, store.Layout+1))
	_, err := store.Open(store.Config{KV: rows, Shred: shredder{w.clock}})
	if !errors.Is(err, store.ErrNewer) {
		t.Errorf("open: %v", err)
	}
	must(t, rows.Close())
}

// TestMigrationIsWholeOrNot lets the disk fail while an old layout is brought up
// to date.
func TestMigrationIsWholeOrNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.SaveContact(store.Contact{Key: key(3), Name: "carol", Added: noon}))
	must(t, w.Close())
	rows := w.kv.(*kv.MemoryStore).Crash(0)
	must(t, store.Downgrade(rows))
	rows.SetFault(func(*kv.Batch, bool) error { return kv.ErrDiskFull })
	if _, err := store.Open(store.Config{KV: rows, Shred: shredder{w.clock}}); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("open: %v", err)
	}
	rows.SetFault(nil)
	again := openWorld(t, rows, w.clock, store.Config{})
	if c, ok := again.Contact(key(3)); !ok || c.Name != "carol" {
		t.Errorf("contact %+v", c)
	}
}
