package member_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// joins are records of so many, who come in.
func (d *desk) joins(many int) (list []*wire.Record) {
	for i := range many {
		list = append(list, d.signed(signer(byte(10+i)), wire.RecordID{1}, wire.KindJoin, (&wire.Join{}).Append(nil)))
	}
	return list
}

func (d *desk) first(list []*wire.Record) *wire.Records { return d.page(d.c.Hash(), 1, list...) }

// The records of a page are verified in one go, without those that are held.
func TestAPageIsVerifiedInOneGo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	list := d.joins(30)
	d.taken(d.first(list[:8]))
	d.carolLeads()
	d.taken(d.first(list))
	if want := []int{8, 22}; !slices.Equal(d.count.together, want) {
		t.Errorf("together %v; want %v", d.count.together, want)
	}
}

// One bad record among many is found wherever it stands, and none of the page is taken.
// Of two faults the first counts.
func TestOneForgedRecordSpoilsAPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	list := d.joins(12)
	forged, strange := *list[3], *list[5]
	forged.Author = carol.Public()
	strange.Group[0]++
	for i := range list {
		if err := d.take(d.first(replaced(list, i, &forged))); err != proof.ErrProof {
			t.Errorf("forged at %d: %v", i, err)
		}
		if err := d.take(d.first(replaced(replaced(list, i, &forged), 6, &strange))); i < 6 && err != proof.ErrProof || i >= 6 && err != member.ErrHub {
			t.Errorf("forged at %d, and 6 is another group's: %v", i, err)
		}
	}
	if end := d.ledger.Log().Seq(); end != 0 {
		t.Fatalf("%d records were taken", end)
	}
	d.taken(d.first(list))
	if end := d.ledger.Log().Seq(); end != 12 {
		t.Errorf("%d records stand", end)
	}
}

func replaced(list []*wire.Record, i int, r *wire.Record) []*wire.Record {
	list = slices.Clone(list)
	list[i] = r
	return list
}

// Receipts are verified in one go when they are to count, all of them also if one is
// asked for, and one that nobody signed takes nothing from the others.
func TestReceiptsAreVerifiedInOneGo(t *testing.T) {
	t.Parallel()
	const many = 20
	d := newDeskOf(t, 99)
	list := d.joins(many)
	list = append(list, d.signed(bob, wire.RecordID{1}, wire.KindJoin, (&wire.Join{}).Append(nil)))
	list = append(list, d.signed(bob, wire.RecordID{2}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil)))
	d.taken(d.first(list))
	d.count.together = nil
	seq := d.ledger.Log().Seq()
	var came [][]byte
	for i := range many {
		came = append(came, d.receipt(signer(byte(10+i)), func(*wire.Receipt) {}))
	}
	forged := slices.Clone(came[7])
	forged[len(forged)-1] ^= 1
	for _, x := range []struct {
		receipts  [][]byte
		delivered int
	}{{slices.Replace(slices.Clone(came), 7, 8, forged), many - 1}, {came[7:8], many}} {
		if err := d.m.OnReceipts(x.receipts); err != nil {
			t.Fatal(err)
		}
		if st := d.m.Standing(seq); st.Delivered != x.delivered {
			t.Errorf("%+v; want %d", st, x.delivered)
		}
	}
	d.now = d.now.Add(time.Second)
	d.taken(d.page(d.hashAt(seq), seq+1, d.signed(bob, wire.RecordID{3}, wire.KindMessage, (&wire.Message{Roster: 2}).Append(nil))))
	seq++
	for i := range many {
		came[i] = d.receipt(signer(byte(10+i)), func(*wire.Receipt) {})
	}
	if err := d.m.OnReceipts(came); err != nil {
		t.Fatal(err)
	}
	d.count.together = d.count.together[:2]
	for i := range many {
		if !d.m.Has(signer(byte(10+i)).Public(), seq) {
			t.Errorf("%d has it not", i)
		}
	}
	if !slices.Equal(d.count.together, []int{many, 1, many}) || d.count.alone[protocols.TagGroupReceipt] > 0 {
		t.Errorf("together %v, and %d alone", d.count.together, d.count.alone[protocols.TagGroupReceipt])
	}
}

// Who asks whether all have what it wrote last verifies nothing while one does not even
// say so, and asks no more when all have it.
func TestWhetherAllHaveARecordIsVerifiedWhenAllSaySo(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	d.count.together = nil
	asks := func() bool {
		d.now = d.now.Add(time.Minute)
		d.m.Ready()
		d.m.Tick(d.now)
		for _, x := range d.m.Ready().Send {
			if f, ok := x.Frame.(*wire.Receipts); ok && len(f.Receipts) == 0 {
				return true
			}
		}
		return false
	}
	forged := d.receipt(alice, func(*wire.Receipt) {})
	forged[len(forged)-1] ^= 1
	for _, x := range []struct {
		name     string
		receipt  []byte
		asks     bool
		verified []int
	}{
		{"carol says so", d.receipt(carol, func(*wire.Receipt) {}), true, nil},
		{"nobody says so for alice", forged, true, []int{2}},
		{"alice has it, and waits for its key", d.receipt(alice, func(r *wire.Receipt) { r.Waiting = []wire.Seq{3} }), true, []int{2}},
		{"alice has it", d.receipt(alice, func(r *wire.Receipt) { r.Time++ }), false, []int{2, 1}},
	} {
		if err := d.m.OnReceipts([][]byte{x.receipt}); err != nil {
			t.Fatal(err)
		}
		if asked := asks(); asked != x.asks || !slices.Equal(d.count.together, x.verified) {
			t.Errorf("%s: asks %v, and together are verified %v; want %v and %v", x.name, asked, d.count.together, x.asks, x.verified)
		}
	}
}

// What a frame brings is told at once, up to what is no receipt; what says nothing is
// not told.
func TestTheReceiptsOfAFrameAreToldTogether(t *testing.T) {
	t.Parallel()
	d := peopled(t)
	d.m.Ready()
	of := func(s protocols.Signer, group byte) []byte {
		return d.receipt(s, func(r *wire.Receipt) { r.Group[0] += group })
	}
	for name, x := range map[string]struct {
		receipts [][]byte
		want     []int
	}{
		"two":               {[][]byte{of(alice, 0), of(carol, 1), of(carol, 0)}, []int{2}},
		"what says nothing": {[][]byte{of(carol, 1)}, nil},
		"no receipt at all": {nil, nil},
		"one, and no more":  {[][]byte{of(alice, 0), {0x90}, of(carol, 0)}, []int{1}},
	} {
		_ = d.m.OnReceipts(x.receipts) // what is none is looked for elsewhere
		var told []int
		for _, e := range d.m.Ready().Events {
			if e.Kind == member.Receipted {
				told = append(told, len(e.Receipts))
			}
		}
		if !slices.Equal(told, x.want) {
			t.Errorf("%s: told %v; want %v", name, told, x.want)
		}
	}
}
