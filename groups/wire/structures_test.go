package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// form is one kind of bytes: how it is read, and made again from what was read.
type form struct {
	name  string
	value any
	bytes []byte
	tag   protocols.Tag // of a signed structure
	parse func(wire.Verifier, []byte) (any, error)
	again func(any) []byte
}

func structure[T any](name string, tag protocols.Tag, value T, b []byte, parse func(wire.Verifier, []byte) (*T, error), again func(*T) []byte) form {
	return form{
		name: name, value: &value, bytes: b, tag: tag,
		parse: func(v wire.Verifier, b []byte) (any, error) { return parse(v, b) },
		again: func(v any) []byte { return again(v.(*T)) },
	}
}

func plain[T any](name string, value T, parse func([]byte) (*T, error), again func(*T, []byte) []byte) form {
	return form{
		name: name, value: &value, bytes: again(&value, nil),
		parse: func(_ wire.Verifier, b []byte) (any, error) { return parse(b) },
		again: func(v any) []byte { return again(v.(*T), nil) },
	}
}

func parseInvite(v wire.Verifier, b []byte) (*wire.Invite, error) {
	i, _, err := wire.ParseInvite(v, b)
	return i, err
}

func hubForm(name string, cause wire.Cause) form {
	return structure(name, protocols.TagGroupHub, hubRecord(cause), signedHub(cause), wire.ParseHubRecord, func(h *wire.HubRecord) []byte {
		var admin []byte
		if h.Admin != (protocols.Key{}) {
			admin = h.SignAdmin(alice)
		}
		return h.Sign(bob, admin)
	})
}

func forms() []form {
	return []form{
		structure("charter", protocols.TagGroupCharter, charter(), charter().Sign(alice), wire.ParseCharter, func(c *wire.Charter) []byte { return c.Sign(alice) }),
		structure("head", protocols.TagGroupHead, head(), head().Sign(bob), wire.ParseHead, func(h *wire.Head) []byte { return h.Sign(bob) }),
		hubForm("hub record: first", wire.CauseFirst),
		hubForm("hub record: change", wire.CauseChange),
		hubForm("hub record: promotion", wire.CausePromotion),
		hubForm("hub record: admin", wire.CauseAdmin),
		hubForm("hub record: merge", wire.CauseMerge),
		structure("beat", protocols.TagGroupBeat, beat(), beat().Sign(bob), wire.ParseBeat, func(b *wire.Beat) []byte { return b.Sign(bob) }),
		structure("report", protocols.TagGroupReport, report(), report().Sign(carol), wire.ParseReport, func(r *wire.Report) []byte { return r.Sign(carol) }),
		structure("attach", protocols.TagGroupAttach, attach(), attach().Sign(carol), wire.ParseAttach, func(a *wire.Attach) []byte { return a.Sign(carol) }),
		structure("receipt", protocols.TagGroupReceipt, receipt(), receipt().Sign(carol), wire.ParseReceipt, func(r *wire.Receipt) []byte { return r.Sign(carol) }),
		structure("receipt: two wait", protocols.TagGroupReceipt, receipt(7, 300), receipt(7, 300).Sign(carol), wire.ParseReceipt, func(r *wire.Receipt) []byte { return r.Sign(carol) }),
		structure("withdrawal", protocols.TagGroupWithdrawal, withdrawal(), withdrawal().Sign(carol), wire.ParseWithdrawal, func(w *wire.Withdrawal) []byte { return w.Sign(carol) }),
		structure("invite: for a peer", protocols.TagGroupInvite, invite(false), invite(false).Sign(alice), parseInvite, func(i *wire.Invite) []byte { return i.Sign(alice) }),
		structure("invite: bearer", protocols.TagGroupInvite, invite(true), invite(true).Sign(alice), parseInvite, func(i *wire.Invite) []byte { return i.Sign(alice) }),
		plain("message", message(), wire.ParseMessage, (*wire.Message).Append),
		plain("join: open", wire.Join{Name: "Bob"}, wire.ParseJoin, (*wire.Join).Append),
		plain("join: bearer", wire.Join{Invite: invite(true).Sign(alice), Signature: wire.SignJoin(bearer, group(), bob.Public()), Name: "Bob"}, wire.ParseJoin, (*wire.Join).Append),
		target("leave", wire.Target{Kind: wire.KindLeave, Names: [16]byte(count(0xc0, 16))}),
		target("kick", wire.Target{Kind: wire.KindKick, Member: bob.Public(), Names: [16]byte(count(0xc0, 16))}),
		target("role", wire.Target{Kind: wire.KindRole, Member: bob.Public(), Role: wire.RoleAdmin, Names: [16]byte(count(0xc0, 16))}),
		plain("rename", wire.Rename{Name: "Climbers"}, wire.ParseRename, (*wire.Rename).Append),
		plain("settings", settings(), wire.ParseSettings, (*wire.Settings).Append),
		plain("roster", roster(), wire.ParseRoster, (*wire.Roster).Append),
		plain("sender key", senderKey(), wire.ParseSenderKey, (*wire.SenderKey).Append),
		plain("key request", keyRequest(), wire.ParseKeyRequest, (*wire.KeyRequest).Append),
		plain("invitation", invitation(false), wire.ParseInvitation, (*wire.Invitation).Append),
		recordForm(), entryForm("entry", nil),
		entryForm("entry: merged", &wire.Old{Place: place(), Head: head().Sign(bob)}),
		entryForm("entry: merged long ago", &wire.Old{Place: place()}),
	}
}

func target(name string, v wire.Target) form {
	return plain(name, v, func(b []byte) (*wire.Target, error) { return wire.ParseTarget(v.Kind, b) }, (*wire.Target).Append)
}

func recordForm() form {
	f := plain("record", *parsedRecord(), wire.ParseRecord, func(r *wire.Record, _ []byte) []byte { return r.Bytes() })
	f.again = func(v any) []byte { return wire.SignRecords(bob, []wire.Record{*v.(*wire.Record)})[0] }
	return f
}

func entryForm(name string, old *wire.Old) form {
	return plain(name, wire.Entry{Record: parsedRecord(), Old: old}, wire.ParseEntry, (*wire.Entry).Append)
}

func parsedRecord() *wire.Record {
	r, err := wire.ParseRecord(signedRecord())
	if err != nil {
		panic(err)
	}
	return r
}

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(shown(v))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type goldenForm struct {
	Name   string `json:"name"`
	Fields any    `json:"fields"`
	Tag    string `json:"tag,omitempty"`
	Bytes  hexed  `json:"bytes"`
}

func TestGoldenStructures(t *testing.T) {
	t.Parallel()
	fs := forms()
	now := make([]goldenForm, len(fs))
	for i, f := range fs {
		now[i] = goldenForm{Name: f.name, Fields: shown(f.value), Tag: string(f.tag), Bytes: f.bytes}
	}
	for i, g := range check(t, "structures.json", now) {
		v, err := fs[i].parse(protocols.Main, g.Bytes)
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		if !bytes.Equal(asJSON(t, v), asJSON(t, fs[i].value)) {
			t.Errorf("%s: parsed as %s", g.Name, asJSON(t, v))
		}
		if b := fs[i].again(v); !bytes.Equal(b, g.Bytes) {
			t.Errorf("%s: made again it is %x", g.Name, b)
		}
	}
}

// Whatever is cut off, added, or changed in any bit is not read: signed
// structures are as they were signed or nothing.
func TestNoChangedStructureIsRead(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		for n := range f.bytes {
			if _, err := f.parse(protocols.Main, f.bytes[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", f.name, n)
			}
		}
		if _, err := f.parse(protocols.Main, append(slices.Clone(f.bytes), 0xc0)); err == nil {
			t.Errorf("%s: one more byte parses", f.name)
		}
		if _, err := f.parse(protocols.Main, append([]byte{f.bytes[0] + 1}, append(slices.Clone(f.bytes[1:]), 0xc0)...)); err == nil {
			t.Errorf("%s: one more element parses", f.name)
		}
		if f.tag == "" {
			continue
		}
		for i := 0; i < len(f.bytes); i += 7 {
			b := slices.Clone(f.bytes)
			b[i] ^= 1 << (i % 8)
			if _, err := f.parse(protocols.Main, b); err == nil {
				t.Errorf("%s: parses with byte %d changed", f.name, i)
			}
		}
		if _, err := f.parse(protocols.Network("test"), f.bytes); err == nil {
			t.Errorf("%s: good on another network", f.name)
		}
	}
}

func TestLimitsHoldWhatIsLongest(t *testing.T) {
	t.Parallel()
	far := wire.Millis(wire.MaxMillis)
	long := settings()
	long.Name, long.Beat = string(bytes.Repeat([]byte{'x'}, wire.MaxName)), wire.MaxBeat
	for len(long.HubRelays) < wire.MaxHubRelays {
		long.HubRelays = append(long.HubRelays, carol.Public())
	}
	c := wire.Charter{Settings: long}.Sign(alice)
	top := wire.Place{Number: 1<<64 - 1, Primary: bob.Public(), Seq: 1<<64 - 1}
	h := hubRecord(wire.CauseAdmin)
	h.Number, h.Seq, h.Candidate = wire.MaxNumber, 1<<64-1, carol.Public()
	h.Shadow = signer(0x90).Public()
	r := receipt()
	r.Last, r.Read, r.Time = top, 1<<64-1, far
	for i := range wire.MaxWaiting {
		r.Waiting = append(r.Waiting, 1<<63+wire.Seq(i))
	}
	i := invite(true)
	i.Charter, i.Uses, i.Roster, i.Seq, i.Made, i.Expires = c, 1<<64-1, 1<<64-1, 1<<64-1, far-1, far
	for name, got := range map[string][2]int{
		"charter":    {len(c), wire.MaxCharter},
		"head":       {len(wire.Head{Term: wire.Term{Number: 1<<64 - 1}, Seq: 1<<64 - 1, Time: far}.Sign(bob)), wire.MaxHead},
		"hub record": {len(h.Sign(bob, h.SignAdmin(alice))), wire.MaxHubRecord},
		"beat":       {len(wire.Beat{Term: wire.Term{Number: 1<<64 - 1}, Version: 1<<64 - 1, Counter: 1<<64 - 1, Seq: 1<<64 - 1, Time: far}.Sign(bob)), wire.MaxBeatSize},
		"report":     {len(wire.Report{Last: 1<<64 - 1, Time: far}.Sign(bob)), wire.MaxReport},
		"attach":     {len(wire.Attach{Last: top, Time: far}.Sign(bob)), wire.MaxAttach},
		"receipt":    {len(r.Sign(carol)), wire.MaxReceipt},
		"withdrawal": {len(wire.Withdrawal{Time: far}.Sign(bob)), wire.MaxWithdrawal},
		"invite":     {len(i.Sign(alice)), wire.MaxInvite},
	} {
		if got[0] > got[1] || got[0] < got[1]-50 {
			t.Errorf("%s: the longest has %d bytes where the limit says %d", name, got[0], got[1])
		}
	}
}

// A roster of as many as may be in a group, each with the longest name, behind as
// many invites and kicks as are remembered, goes into one record, and the snapshot
// with it into one frame.
func TestTheLargestRosterFitsIntoASnapshot(t *testing.T) {
	t.Parallel()
	r := wire.Roster{Version: 1<<64 - 1, Settings: settings(), Removal: 1<<64 - 1, Voiding: 1<<64 - 1}
	name := string(bytes.Repeat([]byte{'x'}, wire.MaxName))
	node := func(i int) protocols.Key {
		seed := [32]byte{byte(i), byte(i >> 8)}
		return protocols.Key(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
	}
	for i := range wire.MaxMembers {
		id := wire.RecordID{0xff, byte(i), byte(i >> 8)}
		r.Members = append(r.Members, wire.Member{Node: node(i), Role: wire.RoleAdmin, Admission: id, RoleRecord: id, Name: name})
	}
	for i := range wire.MaxInvites {
		r.Invites = append(r.Invites, wire.SpentInvite{Hash: [32]byte{byte(i >> 8), byte(i)}, Left: 1<<64 - 1, Expires: wire.MaxMillis})
	}
	for i := range wire.MaxKicked {
		r.Kicked = append(r.Kicked, wire.Kicked{Node: node(wire.MaxMembers + i), At: 1<<63 + wire.RosterVersion(i)})
	}
	if _, err := wire.ParseRoster(r.Append(nil)); err != nil {
		t.Fatal(err)
	}
	rec, err := wire.ParseRecord(wire.SignRecords(alice, []wire.Record{record(wire.KindSnapshot, r.Append(nil))})[0])
	if err != nil {
		t.Fatal(err)
	}
	entry := wire.Entry{Record: rec}
	f := wire.AppendFrame(nil, &wire.SnapshotFrame{N: 1<<64 - 1, Charter: charter().Sign(alice), Entry: entry.Append(nil), Place: place(), Head: head().Sign(bob)})
	if _, err := wire.ParseGroupFrame(protocols.Main, f); err != nil {
		t.Errorf("a frame of %d bytes: %v", len(f), err)
	}
}

func TestNonsenseIsRefusedWhoeverSignsIt(t *testing.T) {
	t.Parallel()
	nowhere := protocols.Key{}
	changed := func(cause wire.Cause, change func(*wire.HubRecord)) []byte {
		h := hubRecord(cause)
		change(&h)
		return h.Sign(bob, nil)
	}
	for name, b := range map[string][]byte{
		"number 0":                 changed(3, func(h *wire.HubRecord) { h.Number = 0 }),
		"a number near the end":    changed(3, func(h *wire.HubRecord) { h.Number = wire.MaxNumber + 1 }),
		"version 0":                changed(3, func(h *wire.HubRecord) { h.Version = 0 }),
		"a promotion of version 2": changed(3, func(h *wire.HubRecord) { h.Version = 2 }),
		"a change of version 1":    changed(2, func(h *wire.HubRecord) { h.Version = 1 }),
		"the first, number 2":      changed(1, func(h *wire.HubRecord) { h.Number = 2 }),
		"no cause":                 changed(3, func(h *wire.HubRecord) { h.Cause = 0 }),
		"a cause not known":        changed(3, func(h *wire.HubRecord) { h.Cause = 8 }),
		"no link":                  changed(3, func(h *wire.HubRecord) { h.Links = nil }),
		"two links, no merge":      changed(3, func(h *wire.HubRecord) { h.Links = append(h.Links, wire.HubHash{}) }),
		"a merge of one":           changed(7, func(h *wire.HubRecord) { h.Links = h.Links[:1] }),
		"a merge with itself":      changed(7, func(h *wire.HubRecord) { h.Links[1] = h.Links[0] }),
		"an admin for nothing":     changed(3, func(h *wire.HubRecord) { h.Admin = alice.Public() }),
		"named by nobody":          changed(6, func(h *wire.HubRecord) { h.Admin = nowhere }),
		"named without signature":  changed(6, func(*wire.HubRecord) {}),
		"its own shadow":           changed(3, func(h *wire.HubRecord) { h.Shadow = bob.Public() }),
		"shadow and candidate one": changed(3, func(h *wire.HubRecord) { h.Candidate = h.Shadow }),
	} {
		if h, err := wire.ParseHubRecord(protocols.Main, b); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	h := hubRecord(wire.CauseAdmin)
	if _, err := wire.ParseHubRecord(protocols.Main, h.Sign(bob, h.SignAdmin(carol))); !errors.Is(err, wire.ErrSignature) {
		t.Errorf("signed by another than the admin it names: %v", err)
	}
	for name, change := range map[string]func(*wire.Invite){
		"for nobody":       func(i *wire.Invite) { i.Bearer = nowhere },
		"for both":         func(i *wire.Invite) { i.For = bob.Public() },
		"no uses":          func(i *wire.Invite) { i.Uses = 0 },
		"over before made": func(i *wire.Invite) { i.Expires = i.Made },
		"good for 25 h":    func(i *wire.Invite) { i.Expires = i.Made + 25*3600*1000 },
		"another charter":  func(i *wire.Invite) { i.Charter = wire.Charter{Settings: settings()}.Sign(alice)[1:] },
	} {
		i := invite(true)
		change(&i)
		if _, _, err := wire.ParseInvite(protocols.Main, i.Sign(alice)); err == nil {
			t.Errorf("an invite %s", name)
		}
	}
	for _, w := range [][]wire.Seq{{0}, {2, 2}, {3, 2}, {301}} {
		if _, err := wire.ParseReceipt(protocols.Main, receipt(w...).Sign(carol)); err == nil {
			t.Errorf("a receipt in which %v wait", w)
		}
	}
	r := receipt()
	r.Read = 301
	if _, err := wire.ParseReceipt(protocols.Main, r.Sign(carol)); err == nil {
		t.Error("read further than received")
	}
}

func TestRecordsAreTheirAuthors(t *testing.T) {
	t.Parallel()
	v := proof.NewVerifier(protocols.Main)
	made := make([]wire.Record, 5)
	for i := range made {
		made[i] = record(wire.KindDissolve, wire.Dissolve{}.Append(nil))
		made[i].ID[0] = byte(i)
	}
	for i, b := range append(wire.SignRecords(bob, made), signedRecord()) {
		r, err := wire.ParseRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Verify(v); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
		forged := slices.Clone(b)
		forged[60]++ // in the author's key or its time
		if r, err := wire.ParseRecord(forged); err == nil && r.Verify(v) == nil {
			t.Errorf("record %d verifies although changed", i)
		}
	}
}

func TestLinksAreReadAndNothingElse(t *testing.T) {
	t.Parallel()
	i := invitation(true)
	back, err := wire.ParseLink("  " + i.Link() + "\n")
	if err != nil || !reflect.DeepEqual(*back, i) {
		t.Fatalf("%+v, %v", back, err)
	}
	for _, text := range []string{"", "tom:join/", "tom:peer/x", i.Link() + "A", i.Link()[1:], i.Link()[:200], "tom:join/" + i.Link()} {
		if _, err := wire.ParseLink(text); !errors.Is(err, wire.ErrLink) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := wire.ParseInvitation(i.Append(nil)); err == nil {
		t.Error("a link's seed is taken in an envelope")
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	c, err := wire.ParseCharter(protocols.Main, charter().Sign(alice))
	if err != nil {
		t.Fatal(err)
	}
	r := roster()
	start := wire.LogHash(c.Hash())
	one := start.Next(wire.Place{Number: 1, Primary: bob.Public(), Seq: 1}, (&wire.Entry{Record: parsedRecord()}).Append(nil))
	rank := wire.Rank(c.Group(), 3, bob.Public())
	rosterHash := r.Hash()
	check(t, "hashes.json", map[string]hexed{
		"group id": hexed(group().String()), "charter hash": start[:], "log hash 1": one[:], "rank of bob in 3": rank[:],
		"topic": hexed(wire.TopicName(group(), [32]byte(count(0xa0, 32)))), "roster hash": rosterHash[:],
		"message nonce": wire.MessageNonce([16]byte(count(0xc0, 16)), made),
		"message aad":   wire.MessageAAD(group(), [16]byte(count(0xc0, 16)), bob.Public(), [16]byte(count(0xd0, 16)), 200, rosterHash),
	})
}

func TestEquivocationIsProvedByNothingLess(t *testing.T) {
	t.Parallel()
	a, other := head(), head()
	other.Log[0]++
	later := other
	later.Seq++
	anew := other
	anew.Term.Opened[0]++
	changed := hubRecord(wire.CauseChange)
	changed.Candidate = protocols.Key{}
	for name, c := range map[string]struct {
		f    wire.Equivocation
		want bool
	}{
		"two heads":                 {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: other.Sign(bob)}, true},
		"two chains":                {wire.Equivocation{Tag: protocols.TagGroupHub, A: signedHub(wire.CauseChange), B: changed.Sign(bob, nil)}, true},
		"one head":                  {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: a.Sign(bob)}, false},
		"heads of two seqs":         {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: later.Sign(bob)}, false},
		"heads of two terms":        {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: anew.Sign(bob)}, false},
		"heads of two hubs":         {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: other.Sign(carol)}, false},
		"a head changed by another": {wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: a.Sign(bob)[1:]}, false},
		"two openings of one term":  {wire.Equivocation{Tag: protocols.TagGroupHub, A: signedHub(wire.CausePromotion), B: signedHub(wire.CauseMerge)}, false},
		"another tag":               {wire.Equivocation{Tag: protocols.TagGroupBeat, A: a.Sign(bob), B: other.Sign(bob)}, false},
	} {
		if _, who, ok := c.f.Proves(protocols.Main); ok != c.want || (ok && who != bob.Public()) {
			t.Errorf("%s: %v %v", name, who, ok)
		}
	}
}

// Two heads of two places prove something if the earlier is not of the log that the
// later is of.
func TestALogThatPartedProvesEquivocation(t *testing.T) {
	t.Parallel()
	const entries = 3
	early, parted := head(), head()
	parted.Log[0]++
	late, between := early, early.Log[:]
	for i := range entries {
		late.Seq++
		sum := [32]byte{byte(i)}
		late.Log = late.Log.NextSum(wire.Place{Number: late.Term.Number, Primary: bob.Public(), Seq: late.Seq}, sum)
		between = append(between, sum[:]...)
	}
	proof := func(a, b wire.Head, between []byte) wire.Equivocation {
		return wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Sign(bob), B: b.Sign(bob), Between: between}
	}
	changed := func(at int) []byte {
		b := slices.Clone(between)
		b[at]++
		return b
	}
	anew, far := parted, parted
	anew.Term.Opened[0]++
	far.Seq--
	other := proof(late, parted, between)
	other.B = parted.Sign(carol)
	for name, c := range map[string]struct {
		f    wire.Equivocation
		want bool
	}{
		"a log that parted":        {proof(late, parted, between), true},
		"one log":                  {proof(late, early, between), false},
		"nothing between":          {proof(late, parted, nil), false},
		"too little between":       {proof(late, parted, between[:len(between)-32]), false},
		"not whole":                {proof(late, parted, between[:len(between)-1]), false},
		"another entry":            {proof(late, parted, changed(40)), false},
		"another beginning":        {proof(late, parted, changed(0)), false},
		"the earlier first":        {proof(parted, late, between), false},
		"an earlier place":         {proof(late, far, between), false},
		"another term":             {proof(late, anew, between), false},
		"another hub":              {other, false},
		"one place, and no entry":  {proof(early, early, changed(0)[:32]), false},
		"one log, another's start": {proof(late, early, changed(0)), false},
	} {
		if _, who, ok := c.f.Proves(protocols.Main); ok != c.want || (ok && who != bob.Public()) {
			t.Errorf("%s: %v %v", name, who, ok)
		}
	}
}
