package main

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

func TestTextOfOthersCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain é ✓ 漢":          "plain é ✓ 漢",
		"\x1b[31mred":          "\ufffd[31mred",
		"a\rb\nc\x00\u009bd":   "a\ufffdb\ufffdc\ufffd\ufffdd",
		"left \u202e to right": "left \ufffd to right",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is shown as %q", in, got)
		}
	}
	if got := lines("one\r\ntwo\n\tthree\x1b\n\n"); got != "one\n        two\n            three\ufffd" {
		t.Errorf("lines: %q", got)
	}
}

func TestTimesAreSpokenAsPeopleDo(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("here", 2*60*60)
	now := time.Date(2026, 12, 31, 14, 3, 0, 0, zone)
	for after, want := range map[time.Duration]string{
		0:               "14:03",
		9 * time.Hour:   "23:03",
		10 * time.Hour:  "00:03 tomorrow",
		24 * time.Hour:  "14:03 tomorrow",
		34 * time.Hour:  "00:03 on 2 January",
		-15 * time.Hour: "23:03 yesterday",
	} {
		if got := clockTime(now, now.Add(after).UTC()); got != want {
			t.Errorf("in %s is %q, want %q", after, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		12345 * time.Microsecond:      "12ms",
		3456 * time.Millisecond:       "3.5s",
		90 * time.Second:              "1m30s",
		3*time.Hour + 12*time.Minute:  "3h12m",
		25*time.Hour + 30*time.Second: "25h1m",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestUnreachedSaysWhatHappensNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 14, 3, 0, 0, time.UTC)
	end := localapi.At(now.Add(24 * time.Hour))
	tests := []struct {
		m           localapi.Message
		want        localapi.State
		interrupted bool
		says        string
	}{
		{
			localapi.Message{State: localapi.Queued, Reason: "bob is away", End: end},
			localapi.Delivered, false,
			"not delivered yet: bob is away; it stays queued until 14:03 tomorrow; tomd trace 0198",
		},
		{
			localapi.Message{State: localapi.Queued, Reason: "bob is away", End: end},
			localapi.Stored, false,
			"not stored yet: bob is away; no node that could keep it is within reach; it stays queued until 14:03 tomorrow; tomd trace 0198",
		},
		{
			localapi.Message{State: localapi.Relayed, Holders: 2, End: end},
			localapi.Stored, false,
			"not stored yet; 2 other nodes keep it, which is too few; it stays queued until 14:03 tomorrow; tomd trace 0198",
		},
		{
			localapi.Message{State: localapi.Sent, End: end},
			localapi.Delivered, true,
			"interrupted, not delivered yet; it stays queued until 14:03 tomorrow; tomd trace 0198",
		},
		{
			localapi.Message{State: localapi.Delivered, End: end},
			localapi.Read, false,
			"not read yet; it is delivered; tomd trace 0198",
		},
		{
			localapi.Message{State: localapi.Expired, End: end},
			localapi.Delivered, false,
			"not delivered: its time is over without a receipt; tomd trace 0198",
		},
	}
	for _, tt := range tests {
		if got := unreached("0198", tt.m, tt.want, tt.interrupted, now); got != tt.says {
			t.Errorf("says %q, want %q", got, tt.says)
		}
	}
}

func TestRecordsOfAGroupAreShownAsMessagesAre(t *testing.T) {
	t.Parallel()
	at := localapi.At(time.Date(2026, 12, 31, 14, 3, 0, 0, time.Local))
	type record struct{ kind, body, mark, encoding string }
	for want, in := range map[string]record{
		"bob  one\n        two":          {kind: "message", body: "one\ntwo\n", mark: "effective"},
		"bob  (unreadable)":              {kind: "message", mark: "unreadable"},
		"bob  * role carol: admin\ufffd": {kind: "role", body: "carol: admin\x1b", mark: "effective"},
		"bob  * join (void)":             {kind: "join", mark: "void"},
		"bob  (x/\ufffd, in base64) AA":  {kind: "message", encoding: "base64", body: "AA", mark: "effective"},
	} {
		r := localapi.GroupRecord{Kind: in.kind, Mark: in.mark, Created: at, Name: "bob"}
		r.Type, r.Body, r.Encoding = "x/\x1b", in.body, in.encoding
		if got := recordText(r); got != "Dec 31 14:03:00  "+want {
			t.Errorf("%+v is shown as %q", r, got)
		}
	}
}
