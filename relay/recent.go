package relay

// recent is a bounded map that forgets any entry to make room for another.
type recent[K comparable, V any] struct {
	max int
	m   map[K]V
}

func newRecent[K comparable, V any](limit int) recent[K, V] {
	return recent[K, V]{max: limit, m: make(map[K]V)}
}

func (r *recent[K, V]) get(k K) V { return r.m[k] }

func (r *recent[K, V]) put(k K, v V) {
	if _, ok := r.m[k]; !ok && len(r.m) >= r.max {
		for other := range r.m {
			delete(r.m, other)
			break
		}
	}
	r.m[k] = v
}
