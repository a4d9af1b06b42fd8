// Package cache holds the small memories of what peers made us compute: bounded
// for each author, so that one cannot push out what others left, and in total.
package cache

import (
	"sync"

	"github.com/tom-protocol/tom/protocols"
)

// Limits bound a cache. Both must be at least 1.
type Limits struct {
	Authors   int // how many authors are remembered; an arbitrary one makes room
	PerAuthor int // how many entries of each; the oldest makes room
}

// ByAuthor remembers values by author and key. It is safe for concurrent use.
type ByAuthor[K comparable, V any] struct {
	limits Limits

	mu      sync.Mutex // guards all below; held for a few loads and stores only
	authors map[protocols.Key]*ring[K, V]
	age     uint64 // counts removals
}

// New returns an empty cache.
func New[K comparable, V any](l Limits) *ByAuthor[K, V] {
	return &ByAuthor[K, V]{limits: l, authors: make(map[protocols.Key]*ring[K, V])}
}

// Get returns what Put remembered, and the age of the cache, which a Put of a
// value computed meanwhile must name.
func (c *ByAuthor[K, V]) Get(author protocols.Key, key K) (v V, age uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.authors[author]
	if r == nil {
		return v, c.age, false
	}
	v, ok = r.get(key)
	return v, c.age, ok
}

// Put remembers a value, unless something was removed since age.
func (c *ByAuthor[K, V]) Put(author protocols.Key, key K, v V, age uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age != c.age {
		return
	}
	r := c.authors[author]
	if r == nil {
		c.makeRoom()
		r = &ring[K, V]{}
		c.authors[author] = r
	}
	r.put(key, v, c.limits.PerAuthor)
}

func (c *ByAuthor[K, V]) makeRoom() {
	if len(c.authors) < c.limits.Authors {
		return
	}
	for a := range c.authors {
		delete(c.authors, a)
		return
	}
}

// RemoveIf forgets every entry for which gone is true, and every value that is
// being computed now.
func (c *ByAuthor[K, V]) RemoveIf(gone func(author protocols.Key, key K, v V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	for a, r := range c.authors {
		r.removeIf(func(k K, v V) bool { return gone(a, k, v) })
		if len(r.entries) == 0 {
			delete(c.authors, a)
		}
	}
}

// Len returns how many entries are remembered.
func (c *ByAuthor[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.authors {
		n += len(r.entries)
	}
	return n
}
