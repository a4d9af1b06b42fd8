package bot

// maxQueued bounds what the queue knows of; the rest waits in the daemon.
const maxQueued = 1 << 14

// talk is a conversation: with a peer, or a group.
type talk struct {
	group bool
	id    string // peer id, or the group's
}

// item is a message that is to be handled, known by its place.
type item struct {
	talk
	id     string // of the message, or the group's record
	cursor uint64 // its inbox row, or its seq
	since  uint64 // in a group: the cursor before it
	skip   bool   // nothing is to be answered: it is only marked as read
}

// line is what waits in a talk, in order; the first may be at work.
type line struct {
	items []item
	busy  bool
}

// queue says whose turn it is. One goroutine owns it.
type queue struct {
	lines map[talk]*line
	turns []talk // those with something to do and nothing at work, the next one first
	n     int
}

// add puts an item behind those of its talk, unless it is there already. Items to
// be skipped in a row become one: the last marks them all.
func (q *queue) add(it item) {
	l := q.lines[it.talk]
	if l == nil {
		l = new(line)
		if q.lines == nil {
			q.lines = make(map[talk]*line)
		}
		q.lines[it.talk] = l
	}
	for i := len(l.items) - 1; i >= 0; i-- {
		if l.items[i].id == it.id {
			return
		}
		if l.items[i].cursor < it.cursor {
			break // they come in order: no other can be the same
		}
	}
	if last := len(l.items) - 1; it.skip && it.group && last >= 0 && l.items[last].skip && (last > 0 || !l.busy) {
		l.items[last] = it
		return
	}
	l.items = append(l.items, it)
	q.n++
	if len(l.items) == 1 {
		q.turns = append(q.turns, it.talk)
	}
}

// full says that no more is to be added for now.
func (q *queue) full() bool { return q.n >= maxQueued }

// next takes the item whose turn it is to work; done follows.
func (q *queue) next() (item, bool) {
	if len(q.turns) == 0 {
		return item{}, false
	}
	l := q.lines[q.turns[0]]
	q.turns = q.turns[1:]
	l.busy = true
	return l.items[0], true
}

// done ends the work on a talk's first item.
func (q *queue) done(t talk) {
	l := q.lines[t]
	l.items, l.busy = l.items[1:], false
	q.n--
	if len(l.items) == 0 {
		delete(q.lines, t)
		return
	}
	q.turns = append(q.turns, t)
}
