package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
)

func TestContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	carol := store.Contact{Key: key(3), Name: "carol", Addrs: [][]byte{[]byte("a")}, Added: noon}
	must(t, w.SaveContact(carol))
	must(t, w.SaveContact(store.Contact{Key: key(2), Name: "bob", Added: noon}))
	if err := w.SaveContact(store.Contact{Key: key(4), Name: "bob"}); !errors.Is(err, store.ErrNameTaken) {
		t.Errorf("a second bob: %v", err)
	}
	carol.Muted = true
	must(t, w.SaveContact(carol))
	if !w.Muted(key(3)) || w.Muted(key(2)) || w.Stranger(key(3)) || !w.Stranger(key(4)) {
		t.Error("who is muted or a stranger is wrong")
	}
	w = w.reopened()
	all := w.Contacts()
	if len(all) != 2 || all[0].Name != "bob" || all[1].Name != "carol" || !all[1].Muted || string(all[1].Addrs[0]) != "a" {
		t.Errorf("contacts %+v", all)
	}
	must(t, w.RemoveContact(key(3)))
	if err := w.RemoveContact(key(3)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	events := w.events(0)
	if len(events) != 4 || events[3].Kind != store.ContactChanged || events[3].Peer != key(3) {
		t.Errorf("events %+v", events)
	}
}

func TestPrekeysAndAdmissionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SavePrekeys(key(2), []byte("old"))
	w.SavePrekeys(key(2), []byte("new"))
	w.SaveAdmission(key(2), []byte("admission"), noon.Add(time.Hour))
	if got, ok := w.Prekeys(key(2)); !ok || string(got) != "new" {
		t.Errorf("prekeys at once: %q, %v", got, ok)
	}
	w = w.reopened()
	if got, ok := w.Prekeys(key(2)); !ok || string(got) != "new" {
		t.Errorf("prekeys after restart: %q, %v", got, ok)
	}
	if _, ok := w.Prekeys(key(3)); ok {
		t.Error("prekeys of somebody unknown")
	}
	w.clock.advance(time.Hour)
	if _, ok := w.Admission(key(2)); ok {
		t.Error("an admission outlives its end")
	}
	must(t, w.Expire(w.clock.advance(9*24*time.Hour)))
	w.settle()
	if n := w.rows(); n["k"] != 0 || n["a"] != 0 {
		t.Errorf("rows %v", n)
	}
}

// TestPeersAreBounded meets more peers than there is room for.
func TestPeersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 5000 {
		w.clock.advance(time.Millisecond)
		w.SavePrekeys(key(n), []byte("prekeys"))
	}
	w.settle()
	if n := w.rows()["k"]; n != 4096 {
		t.Errorf("%d rows", n)
	}
	if _, ok := w.Prekeys(key(4999)); !ok {
		t.Error("the newest was forgotten")
	}
	w = w.reopened()
	if n := w.rows()["k"]; n != 4096 {
		t.Errorf("%d rows after restart", n)
	}
}

func TestACrowdDoesNotCostFriendsTheirPrekeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.SaveContact(store.Contact{Key: key(2), Name: "bob", Added: noon}))
	w.SavePrekeys(key(2), []byte("bob's"))
	w.clock.advance(time.Hour)
	for n := range 20_000 {
		w.SavePrekeys(key(100+n), []byte("a stranger's"))
	}
	if got, ok := w.Prekeys(key(2)); !ok || string(got) != "bob's" {
		t.Error("bob's prekeys are gone")
	}
}
