package member_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// peopled is a desk in whose log bob (the node), alice and carol are members,
// and bob's message stands at seq 3.
func peopled(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	join := (&wire.Join{}).Append(nil)
	d.taken(d.page(d.c.Hash(), 1,
		d.signed(bob, wire.RecordID{1}, wire.KindJoin, join), d.signed(carol, wire.RecordID{1}, wire.KindJoin, join),
		d.signed(bob, wire.RecordID{2}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil))))
	return d
}

func (d *desk) receipt(s protocols.Signer, change func(*wire.Receipt)) []byte {
	p, hash := d.ledger.Log().End()
	r := wire.Receipt{Group: d.c.Group(), Last: p, Log: hash, Waiting: []wire.Seq{}, Time: wire.Millis(d.now.UnixMilli())}
	change(&r)
	return r.Sign(s)
}

func TestReceiptsCountForWhatTheyCover(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	forged := d.receipt(carol, func(*wire.Receipt) {})
	forged[len(forged)-1]++
	for name, c := range map[string]struct {
		b   []byte
		bad bool
	}{
		"of another log":     {b: d.receipt(carol, func(r *wire.Receipt) { r.Log[0]++ })},
		"of another group":   {b: d.receipt(carol, func(r *wire.Receipt) { r.Group[0]++ })},
		"from a stranger":    {b: d.receipt(signer(9), func(*wire.Receipt) {})},
		"that nobody signed": {b: forged}, // by a member, and passed on by an honest hub
		"that is none":       {b: []byte{0x90}, bad: true},
	} {
		if err := d.m.OnReceipts([][]byte{c.b}); (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
		}
		if st := d.m.Standing(3); st != (member.Standing{Members: 2}) {
			t.Errorf("%s: %+v", name, st)
		}
	}
	waits := d.receipt(carol, func(r *wire.Receipt) { r.Waiting = []wire.Seq{3} })
	opened := d.receipt(carol, func(r *wire.Receipt) { r.Read, r.Time = 3, r.Time+1 })
	for _, c := range []struct {
		b    []byte
		want member.Standing
	}{
		{waits, member.Standing{Members: 2}},
		{opened, member.Standing{Delivered: 1, Read: 1, Members: 2}},
		{waits, member.Standing{Delivered: 1, Read: 1, Members: 2}}, // replayed
		{d.receipt(alice, func(*wire.Receipt) {}), member.Standing{Delivered: 2, Read: 1, Members: 2}},
	} {
		if err := d.m.OnReceipts([][]byte{c.b}); err != nil {
			t.Error(err)
		}
		if st := d.m.Standing(3); st != c.want {
			t.Errorf("%+v; want %+v", st, c.want)
		}
	}
}

// A receipt may overtake the page that it is about: it counts when that has come,
// and what its member said before counts until then. One that nobody signed does
// not stand in the way of one that is signed.
func TestReceiptsThatAreAheadOfTheLogCountWhenItIsThere(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	come := func(b []byte) {
		t.Helper()
		if err := d.m.OnReceipts([][]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	delivered := func(s wire.Seq, want int) {
		t.Helper()
		if st := d.m.Standing(s); st.Delivered != want {
			t.Errorf("%d: %+v; want %d", s, st, want)
		}
	}
	next := d.page(d.hashAt(3), 4, d.signed(bob, wire.RecordID{3}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil)))
	come(d.receipt(carol, func(*wire.Receipt) {}))
	ahead := d.receipt(carol, func(r *wire.Receipt) {
		r.Last.Seq, r.Log, r.Time = 4, d.hashAt(3).Next(wire.Place{Number: d.term.Number, Primary: d.hub.Public(), Seq: 4}, next.Entries[0]), r.Time+1
	})
	come(ahead)
	delivered(3, 1)
	delivered(4, 0)
	d.taken(next)
	delivered(4, 1)
	forged := d.receipt(alice, func(r *wire.Receipt) { r.Last.Seq, r.Log = 99, wire.LogHash{9} })
	forged[len(forged)-1]++
	come(forged)
	delivered(4, 1)
	come(d.receipt(alice, func(*wire.Receipt) {}))
	delivered(4, 2)
}

// After a merge a record has another place, or the same in another log: what was said
// of the log that was cut does not stand in the way of what is said of this one.
func TestReceiptsOfALogThatWasCutGiveWayToThoseOfThisOne(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	says := func(want int) {
		t.Helper()
		if err := d.m.OnReceipts([][]byte{d.receipt(alice, func(*wire.Receipt) {})}); err != nil {
			t.Fatal(err)
		}
		if st := d.m.Standing(3); st.Delivered != want {
			t.Errorf("%+v; want %d", st, want)
		}
	}
	says(1)
	message := entryAt(d, 3)
	d.carolLeads()
	d.taken(d.page(d.hashAt(2), 3, message))
	if st := d.m.Standing(3); st.Delivered != 0 {
		t.Errorf("of a log that is no more: %+v", st)
	}
	d.now = d.now.Add(-time.Millisecond) // its clock was set back
	says(1)
}

// told shows messages, one after the other, and counts the receipts: those for each
// message from the first on, and all.
func (d *desk) told(messages int, every time.Duration) (atOnce, receipts int) {
	for i := range messages {
		d.now = d.now.Add(every)
		end := d.ledger.Log().Seq()
		r := d.taken(d.page(d.hashAt(end), end+1, d.signed(bob, wire.RecordID{byte(i), byte(i >> 8), 9, byte(end)}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil))))
		d.m.Tick(d.now)
		own := find[*wire.Receipts](d.m.Ready())
		alone := own != nil && len(own.Receipts) > 0 // else it asks for those of others
		switch f := find[*wire.Replicated](r); {
		case f == nil, f.Receipt != nil && alone:
			d.t.Fatalf("acknowledged by %+v and %+v", f, own)
		case f.Receipt != nil || alone:
			if receipts++; receipts == i+1 {
				atOnce++
			}
		}
	}
	return atOnce, receipts
}

// In a large group each acknowledges less often: together they send no more than a
// hub passes on.
func TestReceiptsAreFewerWhereMembersAreMany(t *testing.T) {
	t.Parallel()
	d := newDeskOf(t, 600)
	joins := []*wire.Record{d.signed(bob, wire.RecordID{1}, wire.KindJoin, (&wire.Join{}).Append(nil))}
	for i := range 598 {
		s := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(binary.BigEndian.AppendUint32(make([]byte, 28), uint32(i)+1000)))
		joins = append(joins, d.signed(s, wire.RecordID{1}, wire.KindJoin, (&wire.Join{}).Append(nil)))
	}
	d.taken(d.page(d.c.Hash(), 1, joins...))
	if atOnce, receipts := d.told(120, 10*time.Millisecond); atOnce < 30 || receipts > 52 || receipts < 45 {
		t.Errorf("of 120 in 1.2 s %d are acknowledged at once, with %d receipts", atOnce, receipts)
	}
}

// Each of some messages that come one after the other is acknowledged at once. Of
// what goes on and on a receipt tells by and by, also of those that came between; and
// who was silent may say as much again.
func TestReceiptsGoAtOnceUnlessThereAreTooMany(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	told := func(messages int) (atOnce, receipts int) { return d.told(messages, time.Millisecond) }
	if atOnce, receipts := told(10); atOnce != 10 {
		t.Fatalf("%d of 10 messages are acknowledged at once, %d receipts", atOnce, receipts)
	}
	if atOnce, receipts := told(1000); atOnce < 20 || receipts > 80 || receipts < 60 {
		t.Errorf("of a thousand in a second %d are acknowledged at once, with %d receipts", atOnce, receipts)
	}
	d.now = d.m.Deadline()
	d.m.Tick(d.now)
	if f := find[*wire.Receipts](d.m.Ready()); f == nil {
		t.Error("the last are not acknowledged when they may be")
	} else if r, err := wire.ReadReceipt(f.Receipts[0]); err != nil || r.Last.Seq != d.ledger.Log().Seq() {
		t.Errorf("the last receipt is %+v, %v", r, err)
	}
	d.now = d.now.Add(time.Second)
	if atOnce, _ := told(30); atOnce < 30 {
		t.Errorf("after a silence %d of 30 are acknowledged at once", atOnce)
	}
}

func TestReceiptsExceptWhatWaitsAndEndBeforeTooMuchDoes(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	last := func() *wire.Receipt {
		t.Helper()
		d.now = d.m.Deadline()
		d.m.Tick(d.now)
		f := find[*wire.Receipts](d.m.Ready())
		if f == nil {
			t.Fatal("no receipt")
		}
		r, err := wire.ParseReceipt(protocols.Main, f.Receipts[0])
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	d.m.Read(d.now, 1)
	if r := last(); r.Last.Seq != 3 || len(r.Waiting) != 0 || r.Read != 1 || r.Member != bob.Public() {
		t.Errorf("%+v", r)
	}
	d.m.Waits(d.now, 2, true)
	d.m.Read(d.now, 99)
	if r := last(); len(r.Waiting) != 1 || r.Waiting[0] != 2 || r.Read != 3 {
		t.Errorf("%+v", r)
	}
	var rs []*wire.Record
	for range 300 {
		d.id++
		rs = append(rs, d.signed(alice, wire.RecordID{d.id, byte(len(rs) >> 8), 1}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil)))
	}
	d.taken(d.page(d.hashAt(3), 4, rs...))
	for s := wire.Seq(4); s <= 303; s++ {
		d.m.Waits(d.now, s, true)
	}
	r := last()
	if len(r.Waiting) != wire.MaxWaiting || r.Last.Seq != 258 || !d.ledger.Log().Has(r.Last.Seq, r.Log) {
		t.Errorf("up to %d, %d wait", r.Last.Seq, len(r.Waiting))
	}
}

// A receipt goes with the word that the log goes so far, in one frame. It is made when
// it is known whether what came can be opened.
func TestAReceiptGoesWithWhatItIsAbout(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	d.now = d.now.Add(time.Second)
	for _, waits := range []bool{false, true} {
		end := d.ledger.Log().Seq()
		if err := d.take(d.page(d.hashAt(end), end+1, d.record())); err != nil {
			t.Fatal(err)
		}
		d.m.Ready()
		if waits {
			d.m.Waits(d.now, end+1, true)
		}
		f := d.m.Acknowledge(d.now)
		if f == nil || f.Seq != end+1 {
			t.Fatalf("acknowledged by %+v", f)
		}
		r, err := wire.ParseReceipt(protocols.Main, f.Receipt)
		if err != nil || r.Last.Seq != end+1 || r.Log != f.Log || (len(r.Waiting) == 1) != waits {
			t.Errorf("%+v, %v", r, err)
		}
		d.m.Tick(d.now)
		if f := find[*wire.Receipts](d.m.Ready()); f != nil || d.m.Acknowledge(d.now) != nil {
			t.Errorf("acknowledged twice: %+v", f)
		}
	}
}

// Of two receipts that are made at one moment, or by a clock that was set back, the
// second is the newer one to whoever compares their times.
func TestNoReceiptIsAsOldAsTheOneBefore(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	made := func(waits bool) []byte {
		t.Helper()
		d.m.Waits(d.now, 3, waits)
		d.m.Tick(d.now)
		f := find[*wire.Receipts](d.m.Ready())
		if f == nil || len(f.Receipts) != 1 {
			t.Fatalf("%+v", f)
		}
		return f.Receipts[0]
	}
	d.now = d.now.Add(time.Second)
	waits, opens := made(true), made(false)
	d.now = d.now.Add(-time.Second / 2)
	again := made(true)
	times := []wire.Millis{0}
	for _, b := range [][]byte{waits, opens, again} {
		r, err := wire.ParseReceipt(protocols.Main, b)
		if err != nil || r.Time <= times[len(times)-1] {
			t.Errorf("%+v after %v, %v", r, times, err)
		}
		times = append(times, r.Time)
	}
}
