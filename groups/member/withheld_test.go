package member_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// What a member that stood still has not heard of is not withheld: it counts anew.
func TestWhoStoodStillAccusesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.letIn()
	d.m.Write(d.now, d.signed(bob, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil)))
	withholds := func(after time.Duration) bool {
		d.now = d.now.Add(after)
		d.m.Heard(d.now)
		d.m.Tick(d.now)
		_, yes := d.m.Withholds(d.now)
		return yes
	}
	for range 9 {
		if withholds(time.Second) {
			t.Fatal("withheld before its time")
		}
	}
	for range 2 {
		if withholds(16 * time.Second) {
			t.Fatal("withheld at waking")
		}
	}
	for range 9 {
		if withholds(time.Second) {
			t.Fatal("withheld soon after waking")
		}
	}
	if !withholds(time.Second) {
		t.Error("what stays unanswered is not withheld")
	}
}

// Nor is what was unanswered when the hub fell silent: neither what is one's own, nor
// what another brought.
func TestAHubThatFellSilentWithholdsNothing(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(*desk, *wire.Record){
		"one's own": func(d *desk, r *wire.Record) { d.m.Write(d.now, r) },
		"another's": func(d *desk, r *wire.Record) { d.m.OnPublish(d.now, []*wire.Entry{{Record: r}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.letIn()
			author := bob
			if name == "another's" {
				author = alice
			}
			bring(d, d.signed(author, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil)))
			second := func(heard bool) bool {
				d.now = d.now.Add(time.Second)
				if heard {
					d.m.Heard(d.now)
				}
				d.m.Tick(d.now)
				_, yes := d.m.Withholds(d.now)
				return yes
			}
			for range 8 {
				second(true)
			}
			for range 20 {
				if second(false) {
					t.Fatal("it was not heard while it did not answer")
				}
			}
			for i := range 20 {
				if second(true) {
					if i < 9 {
						t.Errorf("withheld %d s after it is heard again", i)
					}
					return
				}
			}
			t.Error("what it does not take although it is heard again is not withheld")
		})
	}
}

// Whom a hub has not let in is no member, and does not know what keeps the hub from it.
func TestWhoIsNotInAccusesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.m.Write(d.now, d.signed(bob, wire.RecordID{99}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil)))
	for range 30 {
		d.now = d.now.Add(time.Second)
		d.m.Heard(d.now)
		d.m.Tick(d.now)
		if _, yes := d.m.Withholds(d.now); yes {
			t.Fatal("withheld")
		}
	}
}

// heavy makes the log larger than 4 MiB.
func (d *desk) heavy() {
	d.t.Helper()
	for range 17 {
		d.id++
		d.behind(d.signed(alice, wire.RecordID{d.id}, wire.KindMessage, make([]byte, 250<<10)))
	}
}

// long makes it longer than 10 000 records.
func (d *desk) long() {
	d.t.Helper()
	for page := range byte(80) {
		records := make([]wire.Record, 128)
		for i := range records {
			records[i] = wire.Record{
				Group: d.c.Group(), ID: wire.RecordID{page, byte(i), 1}, Kind: wire.KindMessage, Time: wire.Millis(d.now.UnixMilli()), Payload: []byte{1},
			}
		}
		var parsed []*wire.Record
		for _, b := range wire.SignRecords(alice, records) {
			r, err := wire.ParseRecord(b)
			if err != nil {
				d.t.Fatal(err)
			}
			parsed = append(parsed, r)
		}
		d.behind(parsed...)
	}
}

// busy has bob write, and the hub put that off each time, for as long as it says.
func (d *desk) busy(r *wire.Record, retry time.Duration, most int) (withheld int) {
	d.t.Helper()
	d.m.Write(d.now, r)
	for i := range most {
		d.now = d.now.Add(time.Second)
		d.m.Heard(d.now)
		d.m.Tick(d.now)
		for _, s := range d.m.Ready().Send {
			if _, ok := s.Frame.(*wire.Publish); ok && s.To == d.hub.Public() {
				d.m.OnBusy(d.now, &wire.Busy{Group: d.c.Group(), Record: r.ID, Retry: wire.Millis(retry.Milliseconds())})
			}
		}
		if _, yes := d.m.Withholds(d.now); yes {
			return i + 1
		}
	}
	return 0
}

// A hub may put off what a member writes. One that takes nothing of it for long withholds
// it, unless its log may be full, and that is why: it takes no messages then.
func TestWhatIsPutOffForEverIsWithheld(t *testing.T) {
	t.Parallel()
	rename := func(d *desk) *wire.Record {
		return d.signed(bob, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil))
	}
	says := func(d *desk) *wire.Record { return d.signed(bob, wire.RecordID{99}, wire.KindMessage, make([]byte, 9)) }
	short := func(*desk) {}
	for name, x := range map[string]struct {
		what        func(*desk) *wire.Record
		retry       time.Duration
		log         func(*desk)
		least, most int
	}{
		"a message, for a moment":             {says, time.Second, short, 120, 130},
		"a message, for as long as can":       {says, time.Hour, short, 240, 370},
		"a message, the log is large":         {says, time.Second, (*desk).heavy, 0, 0},
		"a message, the log is long":          {says, time.Second, (*desk).long, 0, 0},
		"a message, the log is not all here":  {says, time.Second, func(d *desk) { d.m.OnBeat(d.now, &wire.Beat{Seq: 99}) }, 0, 0},
		"a rename, the log is large and long": {rename, time.Second, func(d *desk) { d.heavy(); d.long() }, 120, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.letIn()
			x.log(d)
			if n := d.busy(x.what(d), x.retry, 600); n < x.least || n > x.most {
				t.Errorf("it is withheld after %d s", n)
			}
		})
	}
}

// postponed is a record that the hub has put off, and not for too long yet.
func postponed(t *testing.T) (*desk, *wire.Record) {
	t.Helper()
	d := newDesk(t)
	d.letIn()
	r := d.signed(bob, wire.RecordID{99}, wire.KindMessage, make([]byte, 9))
	if d.busy(r, time.Second, 100) != 0 {
		t.Fatal("it is withheld too early")
	}
	return d, r
}

// What is put off is not withheld as long as the hub takes something of the same member,
// nor is it while the hub is not heard, or this node stands still.
func TestWhatIsPutOffWhileTheHubTakesOthersIsNotWithheld(t *testing.T) {
	t.Parallel()
	for name, passes := range map[string]func(d *desk){
		"it takes another": func(d *desk) {
			d.id++
			other := d.signed(bob, wire.RecordID{98, d.id}, wire.KindMessage, nil)
			d.m.Write(d.now, other)
			d.behind(other)
		},
		"it is silent":            func(d *desk) { d.silent(60) },
		"this node stands still":  func(d *desk) { d.now = d.now.Add(time.Minute); d.m.Heard(d.now) },
		"another hub is followed": func(d *desk) { d.carolLeads() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, r := postponed(t)
			passes(d)
			again := d.busy(r, time.Second, 100)
			if anew := name == "it takes another" || name == "another hub is followed"; (again == 0) != anew || again != 0 && again < 18 {
				t.Errorf("it is withheld %d s later", again)
			}
		})
	}
}

// What another brought here, and the hub puts off, is not withheld where its log may be
// full.
func TestAFullHubIsNotAccusedByThoseWhoBringMore(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		d := newDesk(t)
		d.letIn()
		if full {
			d.heavy()
		}
		r := d.signed(alice, wire.RecordID{99}, wire.KindMessage, make([]byte, 9))
		d.m.OnPublish(d.now, []*wire.Entry{{Record: r}})
		withheld := false
		for range 60 {
			d.now = d.now.Add(time.Second)
			d.m.Heard(d.now)
			d.m.Tick(d.now)
			for _, s := range d.m.Ready().Send {
				if _, ok := s.Frame.(*wire.Publish); ok {
					d.m.OnBusy(d.now, &wire.Busy{Group: d.c.Group(), Record: r.ID, Retry: 60_000})
				}
			}
			_, yes := d.m.Withholds(d.now)
			withheld = withheld || yes
		}
		if withheld == full {
			t.Errorf("the log is full: %v; withheld: %v", full, withheld)
		}
	}
}

// What is put off although it need not be says nothing of what is put off where the log
// may be full since.
func TestALogThatFillsExcusesTheHub(t *testing.T) {
	t.Parallel()
	d, r := postponed(t)
	d.heavy()
	if n := d.busy(r, time.Second, 300); n != 0 {
		t.Errorf("it is withheld %d s after the log was large", n)
	}
}

// letIn shows bob his join.
func (d *desk) letIn() {
	d.t.Helper()
	d.taken(d.page(d.c.Hash(), 1, d.signed(bob, wire.RecordID{98}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil))))
}
