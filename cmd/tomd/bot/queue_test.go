package bot

import (
	"fmt"
	"testing"
)

func TestQueueGoesByTurnsAndInOrder(t *testing.T) {
	t.Parallel()
	var q queue
	add := func(who string, cursor uint64) {
		q.add(item{talk: talk{id: who}, id: fmt.Sprint(who, cursor), cursor: cursor})
	}
	for n := range uint64(3) {
		add("much", 1+n)
	}
	add("little", 10)
	add("much", 2) // known already
	var got []string
	for {
		it, ok := q.next()
		if !ok {
			break
		}
		if it.talk.id == "much" {
			add("much", it.cursor) // and so is the one at work
			add("other", it.cursor)
			if extra, ok := q.next(); ok && extra.talk == it.talk {
				t.Errorf("%s is at work beside %s", extra.id, it.id)
			} else if ok {
				got = append(got, "("+extra.id+")")
				q.done(extra.talk)
			}
		}
		got = append(got, it.id)
		q.done(it.talk)
	}
	if want := "[(little10) much1 other1 (other2) much2 (other3) much3]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if q.n != 0 || len(q.lines) != 0 {
		t.Errorf("%d are left, of %d talks", q.n, len(q.lines))
	}
}

func TestRecordsToBeSkippedAreOne(t *testing.T) {
	t.Parallel()
	var q queue
	group := talk{group: true, id: "g"}
	for seq := uint64(1); seq <= 10; seq++ {
		q.add(item{talk: group, id: fmt.Sprint(seq), cursor: seq, skip: seq != 5})
		if seq == 1 {
			q.next() // at work: it stays as it is
		}
	}
	var got []uint64
	for _, it := range q.lines[group].items {
		got = append(got, it.cursor)
	}
	if fmt.Sprint(got) != "[1 4 5 10]" || q.n != 4 {
		t.Errorf("%v are queued, %d in number", got, q.n)
	}
}

func TestQueueIsFullAtItsBound(t *testing.T) {
	t.Parallel()
	var q queue
	for n := 0; !q.full(); n++ {
		if n > maxQueued {
			t.Fatal("never")
		}
		q.add(item{talk: talk{id: fmt.Sprint(n % 100)}, id: fmt.Sprint(n), cursor: uint64(n)})
	}
}
