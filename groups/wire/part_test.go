package wire_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// burst returns messages of an author, signed together: their ids begin alike, and
// none is earlier than the one before.
func burst(by protocols.Signer, n int) [][]byte {
	m := message()
	list := make([]wire.Record, n)
	for i := range list {
		m.Index++
		list[i] = record(wire.KindMessage, m.Append(nil))
		list[i].ID[6], list[i].ID[7] = byte(i), byte(i>>8)
		list[i].Time += wire.Millis(i / 3 * 50)
	}
	return wire.SignRecords(by, list)
}

// entries makes entries of records.
func entries(records ...[]byte) (list [][]byte) {
	for _, b := range records {
		r, err := wire.ParseRecord(b)
		if err != nil {
			panic(err)
		}
		list = append(list, (&wire.Entry{Record: r}).Append(nil))
	}
	return list
}

func pageOf(list [][]byte) *wire.Records {
	return wire.Records{
		Group: group(), Runs: []wire.Run{{Entries: uint32(len(list)), Number: 3, Primary: bob.Public()}},
		First: 300, Before: [32]byte(count(0x60, 32)), Entries: list, Head: head().Sign(bob),
	}.FanOut()
}

// What goes in parts comes as it was: each entry, byte by byte, and each verifies,
// as it came and alone.
func TestPartsOfBatchesComeWholeAndAlone(t *testing.T) {
	t.Parallel()
	old := (&wire.Entry{Record: parsedRecord(), Old: &wire.Old{Place: place()}}).Append(nil)
	back := make([]wire.Record, 9)
	for i := range back {
		back[i] = record(wire.KindRename, []byte{0x91, 0xa1, byte('x' + i)})
		back[i].Time -= wire.Millis(i % 4)
	}
	batches := [][][]byte{entries(burst(alice, 64)...), entries(wire.SignRecords(alice, back)...), entries(burst(carol, 33)...), entries(burst(bob, 1)...), {old}}
	rapid.Check(t, func(t *rapid.T) {
		var list [][]byte
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			b := rapid.SampledFrom(batches).Draw(t, "batch")
			from := rapid.IntRange(0, len(b)-1).Draw(t, "first")
			list = append(list, b[from:rapid.IntRange(from+1, len(b)).Draw(t, "end")]...)
		}
		f, err := parseGroup(wire.AppendFrame(nil, pageOf(list)))
		if err != nil {
			t.Fatal(err)
		}
		page := f.(*wire.Records)
		if !slices.EqualFunc(page.Entries, list, bytes.Equal) {
			t.Fatal("other entries have come")
		}
		v := proof.NewVerifier(protocols.Main)
		for i, b := range list {
			e, err := page.Entry(i)
			if err != nil || !bytes.Equal(e.Bytes(), b) || e.Record.Verify(v) != nil {
				t.Fatalf("entry %d as it came: %v", i, err)
			}
			alone, err := wire.ParseEntry(b)
			if err != nil || alone.Record.Verify(proof.NewVerifier(protocols.Main)) != nil || !alone.Record.Same(e.Record) || !bytes.Equal(alone.Record.Bytes(), e.Record.Bytes()) {
				t.Fatalf("entry %d alone: %v", i, err)
			}
		}
	})
}

func TestGoldenParts(t *testing.T) {
	t.Parallel()
	records := burst(carol, 5)
	list := entries(append(slices.Clone(records[1:4]), signedRecord())...)
	frames := []wire.Frame{
		&wire.Publish{Group: group(), Records: records}, &wire.Publish{Group: group(), Records: records[1:4]}, pageOf(list),
	}
	now := make([]goldenForm, len(frames))
	for i, name := range []string{"a batch published", "a part published", "a page with a part"} {
		now[i] = goldenForm{Name: name, Fields: shown(frames[i]), Bytes: wire.AppendFrame(nil, frames[i])}
	}
	for i, g := range check(t, "parts.json", now) {
		if f, err := parseGroup(g.Bytes); err != nil || !bytes.Equal(asJSON(t, f), asJSON(t, frames[i])) {
			t.Errorf("%s: %+v, %v", g.Name, f, err)
		}
	}
}

// What came in a part may be held for days, verified or not, and the frame is not.
func TestWhatComesInPartsHoldsNoFrame(t *testing.T) {
	t.Parallel()
	list := burst(alice, 20)
	frame := wire.AppendFrame(nil, &wire.Publish{Group: group(), Records: list[3:17]})
	f, err := parseGroup(frame)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.(*wire.Publish).Entry(5)
	if err != nil {
		t.Fatal(err)
	}
	held := weak.Make(&frame[0])
	frame, f = nil, nil
	for range 3 { // what ends in one may be seen to in the next
		runtime.GC()
	}
	if held.Value() != nil {
		t.Error("the frame is still held")
	}
	if err := e.Record.Verify(proof.NewVerifier(protocols.Main)); err != nil {
		t.Error(err)
	}
}

// In a part a record takes hardly more than its payload, and the author's signature is
// verified once.
func TestAPartIsShortAndCheap(t *testing.T) {
	t.Parallel()
	list := entries(burst(alice, 64)...)
	b := wire.AppendFrame(nil, pageOf(list))
	payload := message()
	if each := (len(b) - len(wire.AppendFrame(nil, pageOf(nil)))) / len(list); each > len(payload.Append(nil))+4 {
		t.Errorf("%d bytes each, and the payload has %d", each, len(payload.Append(nil)))
	}
	f, err := parseGroup(b)
	if err != nil {
		t.Fatal(err)
	}
	p := &counting{Verifier: proof.NewVerifier(protocols.Main)}
	for i := range list {
		if e, err := f.(*wire.Records).Entry(i); err != nil || e.Record.Verify(p) != nil {
			t.Fatal(err)
		}
	}
	if p.parts != 1 || p.proofs != 0 {
		t.Errorf("%d verifications, and %d of proofs", p.parts, p.proofs)
	}
}

// counting counts the parts and the proofs that are verified, and in how many goes.
type counting struct {
	*proof.Verifier
	parts, proofs, goes int
}

func (c *counting) VerifyAll(claims []proof.Claim) error {
	for _, x := range claims {
		if x.Root != nil {
			c.parts++
		} else {
			c.proofs++
		}
	}
	if len(claims) > 0 {
		c.goes++
	}
	return c.Verifier.VerifyAll(claims)
}

// A part counts once among what is verified together, and those of its records that are
// verified later cost nothing.
func TestAPartIsVerifiedOnceAmongOthers(t *testing.T) {
	t.Parallel()
	f, err := parseGroup(wire.AppendFrame(nil, pageOf(entries(append(burst(alice, 10), append([][]byte{signedRecord()}, burst(bob, 10)...)...)...))))
	if err != nil {
		t.Fatal(err)
	}
	var records []*wire.Record
	for i := range f.(*wire.Records).Entries {
		e, err := f.(*wire.Records).Entry(i)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, e.Record)
	}
	p := &counting{Verifier: proof.NewVerifier(protocols.Main)}
	for _, list := range [][]*wire.Record{append(records[:5:5], records[10:16]...), records[5:10], records[16:]} {
		if err := wire.VerifyAll(p, list...); err != nil {
			t.Error(err)
		}
	}
	if p.parts != 2 || p.proofs != 1 || p.goes != 1 {
		t.Errorf("%d parts and %d proofs in %d goes", p.parts, p.proofs, p.goes)
	}
}

func TestPublishedPartsAreRecords(t *testing.T) {
	t.Parallel()
	list := append(burst(carol, 20), signedRecord(), entries(signedRecord())[0])
	old := (&wire.Entry{Record: parsedRecord(), Old: &wire.Old{Place: place()}}).Append(nil)
	list[len(list)-1] = old
	f, err := parseGroup(wire.AppendFrame(nil, &wire.Publish{Group: group(), Records: list}))
	if err != nil {
		t.Fatal(err)
	}
	p := f.(*wire.Publish)
	if !slices.EqualFunc(p.Records, list, bytes.Equal) {
		t.Fatal("other records have come")
	}
	for i := range list {
		e, err := p.Entry(i)
		if err != nil || e.Record.Verify(proof.NewVerifier(protocols.Main)) != nil || (e.Old != nil) != (i == len(list)-1) {
			t.Errorf("record %d: %+v, %v", i, e, err)
		}
		if want := (&wire.Entry{Record: e.Record, Old: e.Old}).Append(nil); !bytes.Equal(e.Bytes(), want) {
			t.Errorf("record %d makes another entry", i)
		}
	}
}

// What was signed together need not be of one group: a part says it once, and is of
// the frame's.
func TestRecordsOfAnotherGroupComeInNoPart(t *testing.T) {
	t.Parallel()
	list := make([]wire.Record, 6)
	for i := range list {
		list[i] = record(wire.KindRename, []byte{0x91, 0xa1, 'x'})
		list[i].ID[0] = byte(i)
		if i/2 == 1 {
			list[i].Group[0] ^= 1
		}
	}
	signed := wire.SignRecords(carol, list)
	for name, want := range map[string][][]byte{"all": signed, "these alone": signed[2:4]} {
		f, err := parseGroup(wire.AppendFrame(nil, &wire.Publish{Group: group(), Records: want}))
		if err != nil || !slices.EqualFunc(f.(*wire.Publish).Records, want, bytes.Equal) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// forgedPart is a Publish with one part, whose fields are as they are given.
type forgedPart struct {
	fields, size, first int
	sig, edges          []byte
	items               [][]any // id, kind, how much later, same, payload
	count               int
}

func (p forgedPart) frame() []byte {
	g, author := group(), carol.Public()
	b := msgp.AppendArrayHeader(nil, 3)
	b = msgp.AppendUint64(b, 2)
	b = msgp.AppendBytes(b, g[:])
	b = msgp.AppendArrayHeader(b, 1)
	b = msgp.AppendArrayHeader(b, uint32(p.fields))
	b = msgp.AppendBytes(b, author[:])
	b = msgp.AppendInt(msgp.AppendInt(b, p.size), p.first)
	b = msgp.AppendBytes(msgp.AppendBytes(b, p.sig), p.edges)
	b = msgp.AppendArrayHeader(b, uint32(p.count))
	for _, item := range p.items {
		b, _ = msgp.AppendIntf(b, item)
	}
	return b
}

// items are records as they stand in a part, but for nothing that is the same: but
// each third says so of twenty bytes.
func items(records [][]byte) (list [][]any) {
	before := new(wire.Record)
	for i, b := range records {
		r, same := parsed(b), 0
		if i%3 == 2 {
			same = 20
		}
		list = append(list, []any{slices.Clone(r.ID[:]), uint64(r.Kind), uint64(r.Time - before.Time), same, slices.Clone(r.Payload[same:])})
		before = r
	}
	return list
}

func TestAForgedPartIsRefused(t *testing.T) {
	t.Parallel()
	good := func() forgedPart {
		records := burst(carol, 8)
		p := forgedPart{fields: 6, size: 8, count: 8}
		s, _ := proof.Share(parsed(records[0]).Proof, parsed(records[7]).Proof)
		p.sig, p.edges = slices.Clone(s.Signature), s.Edges
		p.items = items(records)
		return p
	}
	verifies := func(p forgedPart) bool {
		f, err := parseGroup(p.frame())
		if err != nil {
			return false
		}
		v := proof.NewVerifier(protocols.Main)
		for i := range f.(*wire.Publish).Records {
			if e, err := f.(*wire.Publish).Entry(i); err != nil || e.Record.Verify(v) != nil {
				return false
			}
		}
		return true
	}
	if !verifies(good()) {
		t.Fatal("the part itself does not verify")
	}
	for name, forge := range map[string]func(*forgedPart){
		"a payload altered":   func(p *forgedPart) { p.items[3][4].([]byte)[40] ^= 1 },
		"another id":          func(p *forgedPart) { p.items[3][0].([]byte)[4] ^= 1 },
		"another time":        func(p *forgedPart) { p.items[0][2] = uint64(7) },
		"a later time":        func(p *forgedPart) { p.items[5][2] = uint64(1) },
		"an earlier time":     func(p *forgedPart) { p.items[1][2] = -1 },
		"a time beyond all":   func(p *forgedPart) { p.items[1][2] = uint64(wire.MaxMillis) },
		"the highest time":    func(p *forgedPart) { p.items[1][2] = uint64(math.MaxUint64) },
		"an id too long":      func(p *forgedPart) { p.items[3][0] = append(p.items[3][0].([]byte), 0) },
		"half an id":          func(p *forgedPart) { p.items[3][0] = p.items[3][0].([]byte)[1:8] },
		"more the same":       func(p *forgedPart) { p.items[2][3] = 21 },
		"less the same":       func(p *forgedPart) { p.items[2][3] = 19 },
		"the same as nothing": func(p *forgedPart) { p.items[0][3] = 1 },
		"the same as no more": func(p *forgedPart) { p.items[1][4], p.items[2][3] = make([]byte, 19), 20 },
		"too much the same":   func(p *forgedPart) { p.items[2][3] = 65 },
		"another kind":        func(p *forgedPart) { p.items[0][1] = uint64(wire.KindKick) },
		"no kind":             func(p *forgedPart) { p.items[0][1] = uint64(0) },
		"a kind that is none": func(p *forgedPart) { p.items[0][1] = uint64(99) },
		"a record twice":      func(p *forgedPart) { p.items[4] = p.items[3] },
		"two exchanged":       func(p *forgedPart) { p.items[4], p.items[3] = p.items[3], p.items[4] },
		"one left out":        func(p *forgedPart) { p.items, p.count = p.items[1:], 7 },
		"one left out, told":  func(p *forgedPart) { p.items, p.count, p.first = p.items[1:], 7, 1 },
		"one too many":        func(p *forgedPart) { p.items, p.count = append(p.items, p.items[0]), 9 },
		"one alone": func(p *forgedPart) {
			first := parsed(burst(carol, 8)[0]).Proof
			s, _ := proof.Share(first, first)
			p.edges, p.items, p.count = s.Edges, p.items[:1], 1
		},
		"none":                      func(p *forgedPart) { p.items, p.count = nil, 0 },
		"fewer than told":           func(p *forgedPart) { p.items = p.items[:5] },
		"four billion told":         func(p *forgedPart) { p.count = 1<<32 - 1 },
		"another size":              func(p *forgedPart) { p.size = 9 },
		"no size":                   func(p *forgedPart) { p.size = 0 },
		"a batch of one":            func(p *forgedPart) { p.size, p.items, p.count = 1, p.items[:1], 1 },
		"a size out of bounds":      func(p *forgedPart) { p.size = 1 << 20 },
		"another place":             func(p *forgedPart) { p.size, p.first = 16, 8 },
		"a place out of bounds":     func(p *forgedPart) { p.first = 8 },
		"another signature":         func(p *forgedPart) { p.sig[3] ^= 1 },
		"half a signature":          func(p *forgedPart) { p.sig = p.sig[:32] },
		"an edge":                   func(p *forgedPart) { p.edges = make([]byte, 32) },
		"half an edge":              func(p *forgedPart) { p.edges = make([]byte, 16) },
		"too many edges":            func(p *forgedPart) { p.edges = make([]byte, 2048) },
		"a field too few":           func(p *forgedPart) { p.fields = 5 },
		"an element that is no bin": func(p *forgedPart) { p.items[2][4] = "text" },
	} {
		p := good()
		forge(&p)
		if verifies(p) {
			t.Errorf("%s: verifies", name)
		}
	}
	long := good()
	for i := range long.items {
		long.items[i][4] = make([]byte, wire.MaxRecord/9)
	}
	if _, err := parseGroup(long.frame()); err != nil {
		t.Errorf("long payloads: %v", err)
	}
	long.items, long.size, long.count = long.items[:2], 2, 2
	for n, want := range map[int]error{wire.MaxRecord - 300: nil, wire.MaxRecord - 100: wire.ErrForm} {
		long.items[0][4], long.items[1][4] = make([]byte, n), []byte{}
		if _, err := parseGroup(long.frame()); !errors.Is(err, want) {
			t.Errorf("a record of more than %d bytes: %v", n, err)
		}
	}
}

// signedPart is a part of two records as carol signs them, of which the second begins
// with so many bytes of the first.
func signedPart(t *testing.T, list []wire.Record, same int) forgedPart {
	t.Helper()
	signed := wire.SignRecords(carol, list)
	const proofSize = 1 + 2 + 64 + 2 + 32
	last := func(b []byte) []byte { return b[len(b)-proofSize:] }
	s, ok := proof.Share(last(signed[0]), last(signed[1]))
	if !ok {
		t.Fatal("they share nothing")
	}
	first, second := list[0], list[1]
	return forgedPart{fields: 6, size: 2, count: 2, sig: s.Signature, edges: s.Edges, items: [][]any{
		{first.ID[:], uint64(first.Kind), uint64(first.Time), 0, first.Payload},
		{second.ID[:], uint64(second.Kind), uint64(second.Time - first.Time), same, second.Payload[same:]},
	}}
}

// Nobody's signature makes a kind of what is none, nor a time of what is beyond all; and
// no more may be the same than is said, also where it is.
func TestASignedPartOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		kind wire.Kind
		time wire.Millis
		same int
		want error
	}{
		"a good one":            {wire.KindRename, made, 64, nil},
		"the last time":         {wire.KindRename, wire.MaxMillis, 0, nil},
		"no kind":               {0, made, 0, wire.ErrForm},
		"a kind that is none":   {wire.KindSnapshot + 1, made, 0, wire.ErrForm},
		"a time beyond":         {wire.KindRename, wire.MaxMillis + 1, 0, wire.ErrForm},
		"more than may be so":   {wire.KindRename, made, 65, wire.ErrForm},
		"all of it is the same": {wire.KindRename, made, 70, wire.ErrForm},
	} {
		list := []wire.Record{record(x.kind, count(0, 70)), record(x.kind, count(0, 70))}
		list[1].Time = x.time
		if _, err := parseGroup(signedPart(t, list, x.same).frame()); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The hash of an entry is made once for the same bytes, and anew for others.
func TestTheSumOfAnEntryIsOfItsBytes(t *testing.T) {
	t.Parallel()
	list := entries(burst(alice, 2)...)
	e, err := wire.ParseEntry(list[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{list[0], list[0], list[1], list[0][1:], nil, slices.Clone(list[0])} {
		if e.Sum(b) != sha256.Sum256(b) {
			t.Errorf("another hash of %x", b)
		}
	}
}

// More records than a frame may carry do not come in parts either.
func TestPartsAreNotMoreThanAFrame(t *testing.T) {
	t.Parallel()
	small := make([]wire.Record, 600)
	for i := range small {
		small[i] = record(wire.KindRename, []byte{0x91, 0xa1, 'x'})
		small[i].ID[0], small[i].ID[1] = byte(i), byte(i>>8)
	}
	list := wire.SignRecords(carol, small)
	for n, want := range map[int]error{wire.MaxPublish - 600: nil, wire.MaxPublish - 599: wire.ErrForm} {
		f := &wire.Publish{Group: group(), Records: append(slices.Clone(list), list[:n]...)}
		if _, err := parseGroup(wire.AppendFrame(nil, f)); !errors.Is(err, want) {
			t.Errorf("%d records: %v", 600+n, err)
		}
	}
}

func parsed(b []byte) *wire.Record {
	r, err := wire.ParseRecord(b)
	if err != nil {
		panic(err)
	}
	return r
}

// What is put into a page is encoded as what is read from it, also what stood elsewhere
// before, and in both kinds, whichever is encoded first.
func TestWhatIsPutIsEncodedAsWhatIsRead(t *testing.T) {
	t.Parallel()
	var list [][]byte
	for i, b := range burst(alice, 9) {
		r, err := wire.ParseRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		e := wire.Entry{Record: r}
		if i == 4 {
			e.Old = &wire.Old{Place: place()}
		}
		list = append(list, e.Append(nil))
	}
	read := pageOf(list)
	put := func() *wire.Records {
		f := *pageOf(nil)
		f.Runs = read.Runs
		for _, b := range list {
			e, err := wire.ParseEntry(b)
			if err != nil {
				t.Fatal(err)
			}
			if e.Old == nil {
				b = nil // it goes in a part, for which it is not read
			}
			f.Put(b, e.Record, e.Old)
		}
		return &f
	}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		fanOut, replicate := put().Both()
		is, want := []*wire.Records{fanOut, replicate}, []*wire.Records{read, read.Replicate()}
		for _, i := range order {
			if !bytes.Equal(wire.Encode(is[i]), wire.AppendFrame(nil, want[i])) {
				t.Errorf("in order %v kind %d is another frame", order, i)
			}
			is[order[1]].Runs = nil // the second is made of the first
		}
	}
}

// A page is encoded once, to however many it goes; as what is replicated it is another.
func TestAPageIsEncodedOnce(t *testing.T) {
	t.Parallel()
	page := wire.Records{Group: wire.GroupID{1}, Runs: []wire.Run{}, First: 7, Entries: [][]byte{}}.FanOut()
	first := wire.Encode(page)
	if again := wire.Encode(page); &again[0] != &first[0] {
		t.Error("a page is encoded once more")
	}
	for _, f := range []wire.Frame{page, page.Replicate(), &wire.PageEnd{N: 3}} {
		if !bytes.Equal(wire.Encode(f), wire.AppendFrame(nil, f)) {
			t.Errorf("%T is encoded as something else", f)
		}
	}
}
