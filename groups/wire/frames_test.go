package wire_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

type frameForm struct {
	name  string
	frame wire.Frame
	parse func([]byte) (wire.Frame, error)
}

func parseGroup(b []byte) (wire.Frame, error) { return wire.ParseGroupFrame(protocols.Main, b) }

func parseHub(b []byte) (wire.Frame, error) { return wire.ParseHubFrame(protocols.Main, b) }

func parseTopic(b []byte) (wire.Frame, error) { return wire.ParseTopicFrame(protocols.Main, b) }

func frames() []frameForm {
	g := group()
	entry := (&wire.Entry{Record: parsedRecord()}).Append(nil)
	page := wire.Records{
		Group: g, Runs: []wire.Run{{Entries: 1, Number: 2, Primary: alice.Public()}, {Entries: 1, Number: 3, Primary: bob.Public()}},
		First: 300, Before: [32]byte(count(0x60, 32)), Entries: [][]byte{entry, entry}, Head: head().Sign(bob),
	}
	shown := wire.HubRecordFrame{
		Record: signedHub(wire.CausePromotion), Linked: [][]byte{signedHub(wire.CauseChange)},
		Evidence: []wire.Evidence{{Tag: protocols.TagGroupReport, Structure: report().Sign(carol)}, {Tag: protocols.TagGroupAttach, Structure: attach().Sign(carol)}},
	}
	b := beat().Sign(bob)
	inGroup := []frameForm{
		{"attach", &wire.AttachFrame{Attach: attach().Sign(carol)}, parseGroup},
		{"publish", &wire.Publish{Group: g, Records: [][]byte{signedRecord()}}, parseGroup},
		{"receipts", wire.OwnReceipts(g, receipt().Sign(carol)), parseGroup},
		{"sync", &wire.Sync{N: 7, Group: g, From: 300, Log: [32]byte(count(0x60, 32))}, parseGroup},
		{"records", page.FanOut(), parseGroup},
		{"accepted", &wire.Accepted{Group: g, Records: []wire.AcceptedRecord{{ID: [16]byte(count(0xc0, 16)), Number: 3, Seq: 300}}, Replicas: 2}, parseGroup},
		{"refused", &wire.Refused{Group: g, Record: [16]byte(count(0xc0, 16)), Reason: 8, Value: 4}, parseGroup},
		{"busy", &wire.Busy{Group: g, Record: [16]byte(count(0xc0, 16)), Retry: 1500}, parseGroup},
		{"receipts passed on", wire.PassedReceipts(g, receipt(7).Sign(carol), receipt().Sign(alice)), parseGroup},
		{"snapshot", &wire.SnapshotFrame{N: 7, Group: g, Charter: charter().Sign(alice), Hubs: [][]byte{signedHub(wire.CauseFirst)}, Entry: entry, Place: place(), Before: [32]byte(count(0x60, 32)), Head: head().Sign(bob)}, parseGroup},
		{"not hub", &wire.NotHub{Group: g, Record: signedHub(wire.CausePromotion)}, parseGroup},
		{"page end", &wire.PageEnd{N: 7, Group: g, More: true}, parseGroup},
		{"keys", wire.OwnKeys(g, count(1, 200), count(2, 300)), parseGroup},
		{"keys passed on", wire.PassedKeys(g, count(1, 200)), parseGroup},
		{"prekeys?", &wire.WantPrekeys{Group: g, Of: []protocols.Key{alice.Public(), carol.Public()}}, parseGroup},
		{"prekeys", &wire.Prekeys{Group: g, Of: []wire.PrekeysOf{{Member: alice.Public(), Record: count(3, 150)}, {Member: carol.Public()}}}, parseGroup},
	}
	return append(inGroup, []frameForm{
		{"hub: beat", &wire.BeatFrame{Beat: b}, parseHub},
		{"hub: replicate", page.Replicate(), parseHub},
		{"hub: replicated", &wire.Replicated{Group: g, Number: 3, Seq: 300, Log: [32]byte(count(0x60, 32))}, parseHub},
		{"hub: replicated, and a receipt", &wire.Replicated{Group: g, Number: 3, Seq: 300, Log: [32]byte(count(0x60, 32)), Receipt: receipt().Sign(bob)}, parseHub},
		{"hub: hub record", &shown, parseHub},
		{"hub: hub record with a record of the log", &wire.HubRecordFrame{
			Record: shown.Record, Linked: shown.Linked, Evidence: []wire.Evidence{{Tag: protocols.TagGroupRecord, Structure: signedRecord()}},
		}, parseHub},
		{"hub: report", &wire.ReportFrame{Report: report().Sign(carol)}, parseHub},
		{"hub: alive?", &wire.Alive{N: 9, Group: g, Opened: [32]byte(count(0x40, 32)), Newest: 77}, parseHub},
		{"hub: alive", &wire.AliveAnswer{N: 9, Beat: b}, parseHub},
		{"hub: not alive", &wire.AliveAnswer{N: 9}, parseHub},
		{"hub: named", &wire.Named{Draft: hubRecord(wire.CauseAdmin).Draft(alice)}, parseHub},
		{"hub: equivocation", &wire.Equivocation{Tag: protocols.TagGroupHead, A: head().Sign(bob), B: head().Sign(bob)}, parseHub},
		{"hub: equivocation of two seqs", &wire.Equivocation{Tag: protocols.TagGroupHead, A: head().Sign(bob), B: head().Sign(bob), Between: count(1, 64)}, parseHub},
		{"hub: withdrawn", &wire.WithdrawnFrame{Withdrawal: withdrawal().Sign(carol), HubRecordFrame: shown}, parseHub},
		{"hub: yield", &wire.Yield{HubRecordFrame: shown}, parseHub},
		{"hub: meet", &wire.Meet{HubRecordFrame: shown}, parseHub},
		{"hub: replace", &wire.Replace{Beat: b}, parseHub},
		{"hub: offer", &wire.Offer{HubRecordFrame: shown, Charter: charter().Sign(alice), Listing: signedRecord()}, parseHub},
		{"hub: offer by the charter", &wire.Offer{HubRecordFrame: shown, Charter: charter().Sign(alice)}, parseHub},
		{"topic: head", &wire.TopicHead{Head: head().Sign(bob)}, parseTopic},
		{"topic: hub record", &wire.TopicHub{Record: signedHub(wire.CausePromotion)}, parseTopic},
	}...)
}

func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	fs := frames()
	now := make([]goldenForm, len(fs))
	for i, f := range fs {
		now[i] = goldenForm{Name: f.name, Fields: shown(f.frame), Bytes: wire.AppendFrame(nil, f.frame)}
	}
	for i, g := range check(t, "frames.json", now) {
		if f, err := fs[i].parse(g.Bytes); err != nil || !reflect.DeepEqual(f, fs[i].frame) {
			t.Errorf("%s: %+v, %v", g.Name, f, err)
		}
		if wire.OnHub(fs[i].frame) != strings.HasPrefix(g.Name, "hub: ") {
			t.Errorf("%s: on the hub protocol: %v", g.Name, wire.OnHub(fs[i].frame))
		}
	}
}

func TestHostileFramesAreRefused(t *testing.T) {
	t.Parallel()
	for _, f := range frames() {
		b := wire.AppendFrame(nil, f.frame)
		for n := range b {
			if _, err := f.parse(b[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", f.name, n)
			}
		}
		if _, err := f.parse(append(slices.Clone(b), 0)); err == nil {
			t.Errorf("%s: a byte behind the end", f.name)
		}
		more := append(slices.Clone(b), 0x92, 0xc0, 1)
		more[0]++
		if got, err := f.parse(more); err != nil || !reflect.DeepEqual(got, f.frame) {
			t.Errorf("%s: an element of a later version: %v", f.name, err)
		}
	}
	parsers := []func([]byte) (wire.Frame, error){parseGroup, parseHub, parseTopic}
	for name, b := range map[string][]byte{
		"nothing":                     nil,
		"no type":                     {0x90},
		"a map":                       {0x80},
		"four billion elements":       {0xdd, 0xff, 0xff, 0xff, 0xff},
		"four billion records":        append([]byte{0x93, 2, 0xc4, 16}, append(make([]byte, 16), 0xdd, 0xff, 0xff, 0xff, 0xff)...),
		"a bin of four billion bytes": {0x92, 1, 0xc6, 0xff, 0xff, 0xff, 0xff},
	} {
		for _, parse := range parsers {
			if f, err := parse(b); err == nil {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	for _, parse := range parsers {
		if _, err := parse([]byte{0x91, 99}); !errors.Is(err, protocols.ErrFrameType) {
			t.Errorf("a type not known: %v", err)
		}
	}
}

func TestAPageSaysWhoseItsEntriesAre(t *testing.T) {
	t.Parallel()
	for _, counts := range [][]uint32{{}, {1}, {3}, {1, 2}, {1024, 1024}} {
		page := wire.Records{Group: group(), Entries: [][]byte{{1}, {2}}, Head: []byte{3}}
		for _, n := range counts {
			page.Runs = append(page.Runs, wire.Run{Entries: n, Number: 1, Primary: bob.Public()})
		}
		if _, err := parseGroup(wire.AppendFrame(nil, page.FanOut())); !errors.Is(err, wire.ErrForm) {
			t.Errorf("runs of %v for two entries: %v", counts, err)
		}
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]bool{wire.MaxShown: true, wire.MaxShown + 1: false} {
		f := &wire.HubRecordFrame{Record: []byte{1}, Linked: [][]byte{}, Evidence: []wire.Evidence{{Tag: protocols.TagGroupRecord, Structure: make([]byte, size)}}}
		if _, err := parseHub(wire.AppendFrame(nil, f)); (err == nil) != want {
			t.Errorf("a structure of %d bytes: %v", size, err)
		}
	}
}
