package cache

import "slices"

type entry[K comparable, V any] struct {
	key K
	v   V
}

// ring holds the entries of one author. Few enough to be searched one by one.
type ring[K comparable, V any] struct {
	entries []entry[K, V]
	next    int // the oldest, once the ring is full
}

func (r *ring[K, V]) get(key K) (v V, ok bool) {
	for i := range r.entries {
		if r.entries[i].key == key {
			return r.entries[i].v, true
		}
	}
	return v, false
}

func (r *ring[K, V]) put(key K, v V, limit int) {
	for i := range r.entries {
		if r.entries[i].key == key {
			r.entries[i].v = v
			return
		}
	}
	if len(r.entries) < limit {
		r.entries = append(r.entries, entry[K, V]{key, v})
		return
	}
	r.entries[r.next] = entry[K, V]{key, v}
	r.next = (r.next + 1) % limit
}

func (r *ring[K, V]) removeIf(gone func(K, V) bool) {
	r.entries = append(slices.Clone(r.entries[r.next:]), r.entries[:r.next]...)
	r.next = 0
	r.entries = slices.DeleteFunc(r.entries, func(e entry[K, V]) bool { return gone(e.key, e.v) })
}
