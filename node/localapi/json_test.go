package localapi

import (
	"encoding/json"
	"testing"
	"time"
)

// The JSON is part of the interface: programs of others read it.
func TestJSONShapes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value any
		want  string
	}{
		{Identity{ID: "a", Link: "l"}, `{"id":"a","link":"l","addrs":[]}`},
		{Status{ID: "a", Addrs: []string{"x"}}, `{"id":"a","version":"","uptime_ms":0,"addrs":["x"],"reachability":"","peers":0,"queued":0,"waiting":0,"holding":0,"clock_offset_ms":0}`},
		{Peer{ID: "b", Since: testTime}, `{"id":"b","name":"","path":"","rtt_ms":0,"since":"2026-03-04T05:06:07.089Z","addr":""}`},
		{Received{ID: "i", Content: NewContent("text/plain", []byte("<é>")), Cursor: 9}, `{"id":"i","from":"","name":"","type":"text/plain","body":"<é>","created":null,"received":null,"end":null,"path":"","read":false,"stranger":false,"cursor":9}`},
		{NewContent("x", []byte{0xff, 0}), `{"type":"x","body":"/wA=","encoding":"base64"}`},
		{Trace{ID: "i", Attempts: []Attempt{{At: testTime}}}, `{"id":"i","to":"","state":"","forward_secret":false,"attempts":[{"at":"2026-03-04T05:06:07.089Z","path":"","via":[],"transport":"","result":""}],"holders":[],"next":null,"superseded_by":""}`},
		{Event{Gap: true}, `{"gap":true}`},
		{errorBody{Errorf(CodeBusy, "a & b").WithHint("c")}, `{"error":{"code":"busy","message":"a & b","hint":"c"}}`},
	}
	for _, tt := range tests {
		got, err := marshal(tt.value)
		if err != nil || string(got) != tt.want {
			t.Errorf("%T is %s, want %s (%v)", tt.value, got, tt.want, err)
		}
	}
}

func TestTimesAreMillisecondsInUTC(t *testing.T) {
	t.Parallel()
	var got Time
	for text, want := range map[string]time.Time{
		`null`:                            {},
		`"2026-03-04T06:06:07.089+01:00"`: testTime.Time,
		`"2026-03-04T05:06:07Z"`:          testTime.Truncate(time.Second),
	} {
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{`5`, `"today"`} {
		if json.Unmarshal([]byte(bad), &got) == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestContentRefusesUnknownEncodings(t *testing.T) {
	t.Parallel()
	for _, c := range []Content{{Encoding: "hex"}, {Encoding: "base64", Body: "!"}} {
		if _, err := c.Bytes(); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	for _, body := range []string{"", "text", "\x00\xff"} {
		if got, err := NewContent("t", []byte(body)).Bytes(); err != nil || string(got) != body {
			t.Errorf("%q came back as %q, %v", body, got, err)
		}
	}
}
