package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// talk lists what was said with peer n: "<" received, ">" ours.
func (w *world) talk(n int, before store.Cursor, limit int) (text string, first store.Cursor, more bool) {
	w.t.Helper()
	list, more, err := w.Talk(key(n), before, limit)
	must(w.t, err)
	for i, row := range list {
		if i == 0 {
			first = row.Cursor()
		}
		if row.Said != nil {
			text += " >" + strings.TrimPrefix(string(row.Said.Content), "content ")
		} else {
			text += " <" + strings.TrimPrefix(string(row.Received.Content), "body ")
		}
	}
	return text, first, more
}

func (w *world) say(n, to int, keep bool) {
	w.t.Helper()
	o := w.outgoing(n)
	o.To, o.Keep = key(to), keep
	_, err := w.accept(o)
	must(w.t, err)
}

func (w *world) hear(n, from int) {
	w.t.Helper()
	in := w.incoming(n)
	in.From = key(from)
	_, err := w.receive(in)
	must(w.t, err)
}

func TestTalkIsReadBackPageByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := 1; n <= 9; n += 3 {
		w.say(n, 3, true)
		w.hear(n+1, 3)
		w.hear(n+2, 4) // to somebody else
	}
	w.say(10, 3, false) // not to be kept
	for range 2 {
		text, first, more := w.talk(3, 0, 4)
		if text != " >4 <5 >7 <8" || !more {
			t.Errorf("newest page%s, more %v", text, more)
		}
		text, first, more = w.talk(3, first, 4)
		if text != " >1 <2" || more {
			t.Errorf("page before%s, more %v", text, more)
		}
		if text, _, more = w.talk(3, first, 4); text != "" || more {
			t.Errorf("before all%s, more %v", text, more)
		}
		w = w.reopened()
	}
}

func TestWhatWasSaidStaysAfterDeliveryUntilItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.say(1, 3, true)
	w.SaveStatus([]store.Status{w.status(1, delivery.Delivered)})
	w.settle()
	if n := w.rows(); n["o"] != 0 || n["y"] != 1 {
		t.Errorf("rows after delivery: %v", n)
	}
	w = w.reopened()
	if text, _, _ := w.talk(3, 0, 9); text != " >1" {
		t.Errorf("after delivery and restart: %s", text)
	}
	w.clock.advance(time.Hour)
	if text, _, _ := w.talk(3, 0, 9); text != "" {
		t.Errorf("at its end: %s", text)
	}
	must(t, w.Expire(w.clock.advance(2*time.Minute)))
	if n := w.rows(); n["y"] != 0 {
		t.Errorf("rows after the end: %v", n)
	}
}

func TestKeepingWhatWasSaidIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := make([]byte, 8<<20)
	fill := func(from int) (kept int) {
		for n := range 6 {
			o := w.outgoing(from + n)
			o.To, o.Keep, o.Content = key(3), true, body
			_, err := w.accept(o)
			must(t, err)
			w.SaveStatus([]store.Status{w.status(from+n, delivery.Delivered)})
			w.settle()
		}
		return w.rows()["y"]
	}
	kept := fill(0)
	if kept != 3 { // 32 MiB, with what it costs to keep them
		t.Errorf("%d kept of 6", kept)
	}
	w = w.reopened()
	if again := fill(100); again != kept {
		t.Errorf("%d kept after a restart, %d before", again, kept)
	}
	must(t, w.Expire(w.clock.advance(2*time.Hour)))
	if again := fill(200); again != kept {
		t.Errorf("%d kept when the first were gone, of %d", again, kept)
	}
}

func TestTalksAreSummedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.SaveContact(store.Contact{Key: key(3), Name: "carol"}))
	must(t, w.SaveContact(store.Contact{Key: key(5), Muted: true}))
	w.say(1, 3, true)
	w.hear(2, 3)
	w.hear(3, 3)
	w.hear(4, 4)
	w.hear(5, 6)
	w.say(6, 2, true)
	list, _, err := w.Talk(key(3), 0, 9)
	must(t, err)
	_, err = w.MarkRead(w.clock.Now(), list[1].Cursor())
	must(t, err)
	_, now := w.Cursors()
	sum := func(to store.Cursor, most int) (s string) {
		talks, err := w.Talks(to, most)
		must(t, err)
		for _, k := range talks {
			s += fmt.Sprintf(" %d:%d", k.With[7], k.Unread)
			if k.Stranger {
				s += "s"
			}
		}
		return s
	}
	if got := sum(now, 9); got != " 2:0 6:1s 4:1s 3:1" {
		t.Errorf("talks%s", got)
	}
	if got := sum(now, 1); got != " 2:0 6:1s 3:1" {
		t.Errorf("talks with one stranger at most%s", got)
	}
	if got := sum(now-3, 9); got != " 4:1s 3:1" {
		t.Errorf("talks before the last two%s", got)
	}
	w.clock.advance(time.Hour)
	if got := sum(now, 9); got != "" {
		t.Errorf("talks when all is over%s", got)
	}
}
