package protocols_test

import (
	"strings"
	"testing"

	"github.com/tom-protocol/tom/protocols"
)

func TestNetworkNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"main": true, "a": true, "test-3": true, strings.Repeat("x", 32): true,
		"": false, strings.Repeat("x", 33): false, "Main": false, "a b": false, "a/b": false, "ä": false, "a\x00": false,
	} {
		n, err := protocols.ParseNetwork(name)
		if (err == nil) != ok || (ok && string(n) != name) {
			t.Errorf("%q: %q, %v", name, n, err)
		}
	}
}

func TestNetworksNeverMeet(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		protocols.EnvelopeProtocol: "/test/tom/envelope/1.0.0",
		protocols.KadPrefix:        "/test/tom",
		protocols.PresenceTopic:    "/test/tom/presence/1",
		protocols.GroupTopic("00"): "/test/tom/group/00/1",
	} {
		if got := protocols.Network("test").Protocol(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
		if got := protocols.Main.Protocol(id); got != id {
			t.Errorf("%s is %s on the main network", id, got)
		}
	}
}
