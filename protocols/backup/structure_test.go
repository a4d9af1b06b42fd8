package backup_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

type goldenStructure struct {
	Name    string     `json:"name"`
	Seed    golden.Hex `json:"seed"`
	Signing golden.Hex `json:"signing_bytes"`
	Bytes   golden.Hex `json:"bytes"`
}

func TestGoldenStructures(t *testing.T) {
	t.Parallel()
	signing := func(tag protocols.Tag, b []byte) []byte {
		return protocols.Main.SigningBytes(nil, tag, protocols.StructureBody(b))
	}
	read := golden.Check(t, "structures.json", []goldenStructure{
		{"storage receipt", fixed.OtherSeed, signing(protocols.TagStorage, storage()), storage()},
		{"admission", fixed.RecipientSeed, signing(protocols.TagAdmission, admission()), admission()},
	})
	s, err := backup.ParseStorage(protocols.Main, read[0].Bytes)
	want := backup.Storage{Holder: fixed.Other().Public(), Digest: digest(3), End: millis + 86_400_000}
	if err != nil || s != want || !s.EndAt().Equal(fixed.Created.Add(24*time.Hour)) {
		t.Errorf("%+v, %v", s, err)
	}
	a, err := backup.ParseAdmission(protocols.Main, read[1].Bytes)
	wantA := backup.Admission{Recipient: fixed.Recipient().Public(), Sender: fixed.Author().Public(), Until: millis + 1}
	if err != nil || a != wantA {
		t.Errorf("%+v, %v", a, err)
	}
}

// damaged are the ways in which signed bytes may be wrong.
func damaged(good []byte) map[string][]byte {
	changed := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	return map[string][]byte{
		"empty":                 nil,
		"cut short":             good[:len(good)-1],
		"a byte behind the end": append(bytes.Clone(good), 0),
		"a longer header":       slices.Concat([]byte{0xdc, 0, 4}, good[1:]),
		"one element more":      slices.Concat([]byte{0x95}, good[1:], []byte{0xc0}),
		"another signer":        changed(10),
		"another digest":        changed(50),
		"another signature":     changed(len(good) - 1),
	}
}

func TestDamagedStructuresAreRefused(t *testing.T) {
	t.Parallel()
	for name, b := range damaged(storage()) {
		if s, err := backup.ParseStorage(protocols.Main, b); !errors.Is(err, backup.ErrStorage) {
			t.Errorf("storage receipt, %s: %+v, %v", name, s, err)
		}
	}
	for name, b := range damaged(admission()) {
		if a, err := backup.ParseAdmission(protocols.Main, b); !errors.Is(err, backup.ErrAdmission) {
			t.Errorf("admission, %s: %+v, %v", name, a, err)
		}
	}
	// Each is worth nothing as the other, nor on another network.
	if _, err := backup.ParseAdmission(protocols.Main, storage()); !errors.Is(err, backup.ErrAdmission) {
		t.Error(err)
	}
	if _, err := backup.ParseStorage("test", storage()); !errors.Is(err, backup.ErrStorage) {
		t.Error(err)
	}
	late := backup.SignStorage(fixed.Other(), backup.Storage{End: 1 << 48})
	if _, err := backup.ParseStorage(protocols.Main, late); !errors.Is(err, backup.ErrStorage) {
		t.Error(err)
	}
}

func TestAnAdmissionIsForOneSenderAndAWhile(t *testing.T) {
	t.Parallel()
	now := fixed.Created
	e := &envelope.Envelope{From: fixed.Author().Public(), To: fixed.Recipient().Public()}
	good := backup.Admission{Recipient: e.To, Sender: e.From, Until: uint64(now.Add(time.Hour).UnixMilli())}
	if !good.Admits(e, now) {
		t.Error("not admitted")
	}
	for name, change := range map[string]func(*backup.Admission){
		"over":                   func(a *backup.Admission) { a.Until = uint64(now.UnixMilli()) },
		"longer than any may be": func(a *backup.Admission) { a.Until = uint64(now.Add(31 * 24 * time.Hour).UnixMilli()) },
		"of somebody else":       func(a *backup.Admission) { a.Recipient = fixed.Other().Public() },
		"for somebody else":      func(a *backup.Admission) { a.Sender = fixed.Other().Public() },
	} {
		a := good
		change(&a)
		if a.Admits(e, now) {
			t.Errorf("%s: admitted", name)
		}
	}
}

func FuzzParseStorage(f *testing.F) {
	f.Add(storage())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := backup.ParseStorage(protocols.Main, b); err == nil && s.Holder != fixed.Other().Public() {
			t.Errorf("%+v verifies", s)
		}
	})
}

func FuzzParseAdmission(f *testing.F) {
	f.Add(admission())
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := backup.ParseAdmission(protocols.Main, b); err == nil && a.Recipient != fixed.Recipient().Public() {
			t.Errorf("%+v verifies", a)
		}
	})
}
