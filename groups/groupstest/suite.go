package groupstest

import (
	"fmt"
	"testing"

	"github.com/tom-protocol/tom/groups"
)

// DiskSuite holds rows and ratchets to what groups rely on. Both are empty.
func DiskSuite(t *testing.T, rows groups.Rows, ratchets groups.Ratchets) {
	t.Run("rows come back in order, and as they were", func(t *testing.T) { suiteRows(t, rows) })
	t.Run("a key that is deleted and put is there", func(t *testing.T) {
		key := []byte("twice")
		must(t, rows.Apply([]groups.Row{{Key: key, Value: []byte("old")}}, nil))
		must(t, rows.Apply([]groups.Row{{Key: key, Value: []byte("new")}}, [][]byte{key}))
		if v, ok, err := rows.Get(key); string(v) != "new" || !ok || err != nil {
			t.Errorf("it is %q, %v, %v", v, ok, err)
		}
	})
	t.Run("a ratchet is what was saved last, or nothing", func(t *testing.T) {
		for _, want := range []string{"one", "another, and longer", ""} {
			var err error
			if want == "" {
				err = ratchets.Remove("a-in")
			} else {
				b := []byte(want)
				err = ratchets.Save("a-in", b)
				clear(b)
			}
			must(t, err)
			if got, err := ratchets.Load("a-in"); string(got) != want || err != nil {
				t.Errorf("loaded %q, %v; want %q", got, err, want)
			}
		}
		must(t, ratchets.Remove("never there"))
	})
}

func suiteRows(t *testing.T, rows groups.Rows) {
	keys := []string{"a", "a\x00", "a\x00b", "a\xff", "a\xff\xff", "b"}
	var puts []groups.Row
	for i := range keys {
		k := keys[len(keys)-1-i]
		puts = append(puts, groups.Row{Key: []byte(k), Head: []byte("of "), Value: []byte(k)})
	}
	must(t, rows.Apply(puts, [][]byte{[]byte("c")}))
	clear(puts[0].Head)
	clear(puts[0].Value)
	for prefix, want := range map[string][]string{"": keys, "a": keys[:5], "a\xff": keys[3:5], "b": keys[5:], "c": nil} {
		var got []string
		must(t, rows.Scan([]byte(prefix), func(k, v []byte) error {
			if got = append(got, string(k)); string(v) != "of "+string(k) {
				t.Errorf("%q holds %q", k, v)
			}
			clear(k)
			clear(v)
			return nil
		}))
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("behind %q stand %q, want %q", prefix, got, want)
		}
	}
	must(t, rows.Apply(nil, [][]byte{[]byte("a"), []byte("b")}))
	if _, ok, err := rows.Get([]byte("a")); ok || err != nil {
		t.Errorf("what was deleted is there: %v, %v", ok, err)
	}
	if v, ok, err := rows.Get([]byte("a\xff")); string(v) != "of a\xff" || !ok || err != nil {
		t.Errorf("what stayed is %q, %v, %v", v, ok, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
