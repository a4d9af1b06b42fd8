package delivery

// queue is a doubly linked list of tracked messages, so that one leaves from
// the middle at no cost. A message is in at most one queue.
type queue struct {
	first, last *tracked
	len, bytes  int
}

func (q *queue) pushBack(t *tracked) {
	t.in, t.prev, t.next = q, q.last, nil
	if q.last == nil {
		q.first = t
	} else {
		q.last.next = t
	}
	q.last = t
	q.len++
	q.bytes += t.Size
}

// remove takes t out of whatever queue it is in.
func (t *tracked) remove() {
	q := t.in
	if q == nil {
		return
	}
	if t.prev == nil {
		q.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		q.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	q.len--
	q.bytes -= t.Size
	t.in, t.prev, t.next = nil, nil, nil
}

// prepend moves all of other in front of q, in their order.
func (q *queue) prepend(other *queue) {
	if other.first == nil {
		return
	}
	for t := other.first; t != nil; t = t.next {
		t.in = q
	}
	other.last.next = q.first
	if q.first == nil {
		q.last = other.last
	} else {
		q.first.prev = other.last
	}
	q.first = other.first
	q.len += other.len
	q.bytes += other.bytes
	*other = queue{}
}
