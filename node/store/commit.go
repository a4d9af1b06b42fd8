package store

import "errors"

// txBytes is about how many bytes of rows go into one commit, so that none
// waits long behind others.
const txBytes = 1 << 20

// commitLoop is the committer.
func (s *Store) commitLoop() {
	defer close(s.stopped)
	var batch []write
	for {
		var open bool
		if batch, open = s.writes.take(batch); !open {
			break
		}
		for rest := batch; len(rest) > 0; {
			rest = s.commitSome(rest)
		}
		clear(batch)
	}
	s.closed = s.shutDown()
}

// commitSome commits the first writes of the queue and returns the others.
func (s *Store) commitSome(queue []write) (rest []write) {
	t := s.newTx()
	firsts := make([]Cursor, 0, len(queue))
	n := 0
	var err error
	for n < len(queue) && err == nil {
		w := &queue[n]
		if n > 0 && (w.alone || t.batch.Bytes() > txBytes) {
			break
		}
		firsts = append(firsts, t.counters.next)
		t.sync = t.sync || w.sync
		err = w.change(t)
		n++
		if w.alone {
			break
		}
	}
	if err == nil {
		err = s.commit(t)
	} else if n > 1 {
		// One write that cannot be made must not take others with it.
		return s.commitEach(queue[:n], queue[n:])
	}
	finish(queue[:n], firsts, err)
	return queue[n:]
}

func (s *Store) commitEach(few, rest []write) []write {
	for i := range few {
		s.commitSome(few[i : i+1])
	}
	return rest
}

func finish(queue []write, firsts []Cursor, err error) {
	for i := range queue {
		if done := queue[i].done; done != nil {
			first := firsts[i]
			if err != nil {
				first = 0
			}
			done(first, err)
		}
	}
}

// commit applies a transaction and then shows it in memory.
func (s *Store) commit(t *tx) error {
	defer t.recycle()
	t.finish()
	if t.batch.Len() > 0 {
		if err := s.kv.Apply(&t.batch, t.sync); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters = t.counters
	for _, fn := range t.after {
		fn()
	}
	if t.visible {
		s.wake()
	}
	return nil
}

// shutDown writes what is still in memory and closes the rows.
func (s *Store) shutDown() error {
	t := s.newTx()
	err := s.flushBehind(t)
	if err == nil {
		t.finish()
		t.counters.reserved = t.counters.next
		t.batch.Put([]byte{tableCounters}, t.counters.append(nil))
		err = s.kv.Apply(&t.batch, true)
	}
	return errors.Join(err, s.kv.Close())
}
