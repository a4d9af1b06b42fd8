package wire_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// credulous takes every signature, so that a fuzzer gets behind it.
type credulous struct{ protocols.Network }

func (credulous) Verify(protocols.Key, protocols.Tag, []byte, []byte) bool { return true }

// fuzzForm checks of whatever is read as the named forms that it has this one
// encoding: made again it is the same bytes, but for signatures.
func fuzzForm(f *testing.F, name string) {
	var of []form
	for _, form := range forms() {
		if form.name == name || strings.HasPrefix(form.name, name+":") {
			of = append(of, form)
			f.Add(form.bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, form := range of {
			v, err := form.parse(credulous{protocols.Main}, b)
			if err != nil {
				continue
			}
			if !signedForm(form) && !bytes.Equal(form.again(v), b) {
				t.Fatalf("%x made again is %x", b, form.again(v))
			}
		}
	})
}

func signedForm(f form) bool { return f.tag != "" || f.name == "record" }

func FuzzCharter(f *testing.F)    { fuzzForm(f, "charter") }
func FuzzHead(f *testing.F)       { fuzzForm(f, "head") }
func FuzzHubRecord(f *testing.F)  { fuzzForm(f, "hub record") }
func FuzzBeat(f *testing.F)       { fuzzForm(f, "beat") }
func FuzzReport(f *testing.F)     { fuzzForm(f, "report") }
func FuzzAttach(f *testing.F)     { fuzzForm(f, "attach") }
func FuzzReceipt(f *testing.F)    { fuzzForm(f, "receipt") }
func FuzzWithdrawal(f *testing.F) { fuzzForm(f, "withdrawal") }
func FuzzInvite(f *testing.F)     { fuzzForm(f, "invite") }
func FuzzMessage(f *testing.F)    { fuzzForm(f, "message") }
func FuzzJoin(f *testing.F)       { fuzzForm(f, "join") }
func FuzzKick(f *testing.F)       { fuzzForm(f, "kick") }
func FuzzRole(f *testing.F)       { fuzzForm(f, "role") }
func FuzzSettings(f *testing.F)   { fuzzForm(f, "settings") }
func FuzzRoster(f *testing.F)     { fuzzForm(f, "roster") }
func FuzzSenderKey(f *testing.F)  { fuzzForm(f, "sender key") }
func FuzzKeyRequest(f *testing.F) { fuzzForm(f, "key request") }
func FuzzInvitation(f *testing.F) { fuzzForm(f, "invitation") }
func FuzzRecord(f *testing.F)     { fuzzForm(f, "record") }
func FuzzEntry(f *testing.F)      { fuzzForm(f, "entry") }

// recordsIn are the records, or entries, that a frame carries.
func recordsIn(f wire.Frame) [][]byte {
	switch f := f.(type) {
	case *wire.Publish:
		return f.Records
	case *wire.Records:
		return f.Entries
	}
	return nil
}

// fuzzFrames checks that what is read as a frame is read the same again.
func fuzzFrames(f *testing.F, parse func([]byte) (wire.Frame, error)) {
	for _, form := range frames() {
		f.Add(wire.AppendFrame(nil, form.frame))
	}
	part := burst(carol, 9)[2:6]
	f.Add(wire.AppendFrame(nil, &wire.Publish{Group: group(), Records: part}))
	f.Add(wire.AppendFrame(nil, pageOf(entries(part...))))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := parse(b)
		if err != nil {
			return
		}
		again, err := parse(wire.AppendFrame(nil, frame))
		if err == nil && recordsIn(frame) != nil { // parts of what nobody signed may be read as others
			same := len(recordsIn(frame)) == len(recordsIn(again))
			frame = again
			if again, err = parse(wire.AppendFrame(nil, frame)); err != nil || !same || !slices.EqualFunc(recordsIn(frame), recordsIn(again), bytes.Equal) {
				t.Fatalf("%+v became %+v, %v", frame, again, err)
			}
			return
		}
		if err != nil || !reflect.DeepEqual(frame, again) {
			t.Fatalf("%+v became %+v, %v", frame, again, err)
		}
	})
}

func FuzzGroupFrames(f *testing.F) { fuzzFrames(f, parseGroup) }
func FuzzHubFrames(f *testing.F)   { fuzzFrames(f, parseHub) }
func FuzzTopicFrames(f *testing.F) { fuzzFrames(f, parseTopic) }

func FuzzLink(f *testing.F) {
	i := invitation(true)
	f.Add(i.Link())
	f.Fuzz(func(t *testing.T, text string) {
		i, err := wire.ParseLink(text)
		if err == nil && i.Link() != strings.TrimSpace(text) {
			t.Fatalf("%q made again is %q", text, i.Link())
		}
	})
}
