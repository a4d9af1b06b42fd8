package store_test

import (
	"fmt"
	"testing"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
)

func TestRowsOfGroupsStayAmongThemselves(t *testing.T) {
	t.Parallel()
	s, err := store.Open(store.Config{KV: kv.Memory(), Shred: plain{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	puts := []store.GroupRow{{Key: []byte("a1"), Value: []byte("x")}, {Key: []byte("a2"), Head: []byte("x"), Value: []byte("y")}, {Key: []byte("b1"), Value: []byte("z")}}
	if err := s.ApplyGroups(puts, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.ApplyGroups([]store.GroupRow{{Key: []byte("a3"), Head: []byte("w")}}, [][]byte{[]byte("a1")}); err != nil {
		t.Fatal(err)
	}
	found := ""
	err = s.ScanGroups([]byte("a"), func(key, value []byte) error {
		found += fmt.Sprintf("%s=%s ", key, value)
		return nil
	})
	if err != nil || found != "a2=xy a3=w " {
		t.Errorf("found %q, %v", found, err)
	}
	if v, ok, err := s.GroupRow([]byte("b1")); string(v) != "z" || !ok || err != nil {
		t.Errorf("b1 is %q, %v, %v", v, ok, err)
	}
	if _, ok, _ := s.GroupRow([]byte("a1")); ok {
		t.Error("what was deleted is there")
	}
}
