package cache

import (
	"testing"

	"github.com/tom-protocol/tom/protocols"
)

func author(i int) protocols.Key { return protocols.Key{byte(i), byte(i >> 8)} }

func TestOneAuthorPushesOutOnlyItsOwn(t *testing.T) {
	t.Parallel()
	c := New[int, int](Limits{Authors: 4, PerAuthor: 3})
	c.Put(author(1), 0, 100, 0)
	for i := range 1000 {
		c.Put(author(2), i, i, 0)
	}
	if v, _, ok := c.Get(author(1), 0); !ok || v != 100 {
		t.Error("another author's entry is gone")
	}
	for i := range 1000 {
		_, _, ok := c.Get(author(2), i)
		if want := i >= 997; ok != want {
			t.Errorf("entry %d is there: %v", i, ok)
		}
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := New[int, int](Limits{Authors: 4, PerAuthor: 3})
	for i := range 1000 {
		c.Put(author(i), i%7, i, 0)
		if _, _, ok := c.Get(author(i), i%7); !ok {
			t.Fatal("what was just put is not there")
		}
	}
	if n := c.Len(); n != 4 {
		t.Errorf("%d entries, want 4", n)
	}
}

func TestPutReplaces(t *testing.T) {
	t.Parallel()
	c := New[int, int](Limits{Authors: 1, PerAuthor: 2})
	c.Put(author(1), 1, 1, 0)
	c.Put(author(1), 1, 2, 0)
	if v, _, _ := c.Get(author(1), 1); v != 2 || c.Len() != 1 {
		t.Errorf("value %d, %d entries", v, c.Len())
	}
}

func TestRemovedKeysDoNotComeBackFromWorkInProgress(t *testing.T) {
	t.Parallel()
	c := New[int, int](Limits{Authors: 4, PerAuthor: 3})
	_, age, _ := c.Get(author(1), 1)
	for i := range 5 {
		c.Put(author(2), i, i, age)
	}
	c.RemoveIf(func(_ protocols.Key, key, _ int) bool { return key != 3 })
	c.Put(author(1), 1, 1, age) // derived before the removal
	if _, _, ok := c.Get(author(1), 1); ok || c.Len() != 1 {
		t.Errorf("%d entries, want the one that was kept", c.Len())
	}
	if v, _, ok := c.Get(author(2), 3); !ok || v != 3 {
		t.Error("the entry that was to be kept is gone")
	}
	_, age, _ = c.Get(author(1), 1)
	for i := range 5 {
		c.Put(author(2), 10+i, i, age)
	}
	if c.Len() != 3 {
		t.Errorf("%d entries, want 3", c.Len())
	}
}
