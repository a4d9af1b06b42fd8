package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func TestReceiptIsVerifiedOffline(t *testing.T) {
	t.Parallel()
	bob, alice := openIdentity(t), openIdentity(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	id, digest := envelope.NewID(now), envelope.Digest{1, 2, 3}
	sign := func(kind ack.Kind) []byte {
		return ack.Sign(bob.Signer(protocols.Main), ack.Receipt{
			Kind: kind, To: alice.Public(), Time: uint64(now.UnixMilli()),
			Entries: []ack.Entry{{ID: envelope.NewID(now)}, {ID: id, Digest: digest.Short()}},
		})
	}
	good := localapi.Receipt{Network: "main", ID: id.String(), Digest: digest[:], Receipt: sign(ack.Delivered)}
	v, err := verifyReceipt(asJSON(t, good))
	if err != nil || v.By != bob.PeerID().String() || v.Author != alice.PeerID().String() || v.Others != 1 || !v.Time.Equal(now) {
		t.Fatalf("good: %+v, %v", v, err)
	}
	var out strings.Builder
	v.write(&out)
	if !strings.Contains(out.String(), "was delivered") || !strings.Contains(out.String(), "names 1 other") {
		t.Errorf("shown as %s", out.String())
	}
	tests := map[string]struct {
		change func(*localapi.Receipt)
		exit   int
	}{
		"other message": {func(r *localapi.Receipt) { r.ID = envelope.NewID(now).String() }, exitRefused},
		"other digest":  {func(r *localapi.Receipt) { r.Digest = make([]byte, 32) }, exitRefused},
		"other network": {func(r *localapi.Receipt) { r.Network = "test" }, exitRefused},
		"broken":        {func(r *localapi.Receipt) { r.Receipt[len(r.Receipt)-1] ^= 1 }, exitRefused},
		"unopenable":    {func(r *localapi.Receipt) { r.Receipt = sign(ack.Unopenable) }, exitRefused},
		"no id":         {func(r *localapi.Receipt) { r.ID = "x" }, exitUsage},
		"short digest":  {func(r *localapi.Receipt) { r.Digest = r.Digest[:16] }, exitUsage},
		"no network":    {func(r *localapi.Receipt) { r.Network = "?" }, exitUsage},
	}
	for name, tt := range tests {
		bad := good
		bad.Receipt = append([]byte(nil), good.Receipt...)
		tt.change(&bad)
		if _, err := verifyReceipt(asJSON(t, bad)); exitCode(err) != tt.exit {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verifyReceipt([]byte("hello")); exitCode(err) != exitUsage {
		t.Errorf("text: %v", err)
	}
}

func openIdentity(t *testing.T) *identity.Identity {
	t.Helper()
	me, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return me
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
