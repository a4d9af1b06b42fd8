//go:build unix

package cli

import (
	"strings"
	"testing"
)

func TestAGroupFromTheCommandLine(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob := m.start(t, "alice"), m.start(t, "bob")
	made := alice.ok("group", "create", "friends", "--json")
	invited := alice.ok("group", "invite", "friends", "--link", "--json")
	joined := bob.ok("group", "join", parse(t, invited)["link"].(string), "--json")
	sent := bob.ok("group", "send", "friends", "hello, all", "--wait", "all", "--json")
	alice.ok("group", "log", "friends", "--mark-read")
	renamed := alice.ok("group", "rename", "friends", "old friends", "--json")
	for _, tt := range []struct{ text, want string }{
		{made, "group name"},
		{invited, "invite link expires"},
		{joined, "group name members"},
		{sent, "id term seq state replicas delivered read members"},
		{renamed, "id term seq state replicas delivered read members"},
		{alice.ok("group", "list", "--json"), "group name members role term seq hub read unread"},
		{alice.ok("group", "show", "old friends", "--json"), "group name open max beat_ms term seq hub shadow candidate members hub_relays"},
		{alice.ok("group", "log", "old friends", "--since", "1", "--json"), "group term seq id kind from name type body created mark cursor"},
	} {
		if got := keys(t, strings.SplitAfter(tt.text, "\n")[0]); got != tt.want {
			t.Errorf("keys %s, want %s", got, tt.want)
		}
	}
	id := parse(t, sent)["id"].(string)
	if behind := alice.ok("group", "log", "old friends", "--since", id); strings.Contains(behind, "hello") || !strings.Contains(behind, "rename") {
		t.Errorf("behind the message: %s", behind)
	}
	until(t, "bob calls it by the new name", func() bool {
		list := bob.rows("group", "list")
		return len(list) == 1 && list[0]["name"] == "old friends"
	})
	bob.ok("group", "leave", "old friends")
	until(t, "alice is alone", func() bool {
		return len(bob.rows("group", "list")) == 0 && alice.rows("group", "list")[0]["members"] == 1.0
	})
	for _, wrong := range [][]string{
		{"group", "invite", "old friends"},
		{"group", "send", "old friends", "x", "--wait", "soon"},
		{"group", "hub", "old friends"},
		{"group", "set", "old friends"},
		{"group", "set", "old friends", "--beat", "1ms"},
		{"group", "rename", "old friends", ""},
		{"group", "invite", "old friends", "--link", "--expires", "48h"},
		{"group", "invite", "old friends", "--link", "--expires", "-1h"},
		{"group", "invite", "old friends", "--link", "--uses", "0"},
		{"group", "join", "tom:join/AAAA"},
	} {
		if end := alice.run(wrong...).wait(); end.code != 2 {
			t.Errorf("%v ends with %d: %s", wrong, end.code, end.err)
		}
	}
	if end := alice.run("group", "show", "enemies").wait(); end.code == 0 || !strings.Contains(end.err, "no such group") {
		t.Errorf("a group that is none: %+v", end)
	}
}

// What only admins may do takes effect with everybody.
func TestAnAdminRunsAGroupFromTheCommandLine(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, bob, carol := m.start(t, "alice"), m.start(t, "bob"), m.start(t, "carol")
	alice.ok("group", "create", "friends")
	link := parse(t, alice.ok("group", "invite", "friends", "--link", "--uses", "2", "--json"))["link"].(string)
	bob.ok("group", "join", link)
	carol.ok("group", "join", link)
	show := func(d *daemon, what string, so func(g map[string]any) bool) {
		t.Helper()
		until(t, d.name+" shows "+what, func() bool { return so(d.object("group", "show", "friends")) })
	}
	role := func(who *daemon, want string) func(g map[string]any) bool {
		return func(g map[string]any) bool {
			for _, x := range g["members"].([]any) {
				if x := x.(map[string]any); x["id"] == who.id {
					return x["role"] == want
				}
			}
			return false
		}
	}
	alice.ok("group", "role", "friends", bob.id, "admin")
	show(bob, "bob as admin", role(bob, "admin"))
	bob.ok("group", "set", "friends", "--open", "--max", "7", "--beat", "2s")
	show(carol, "bob's settings", func(g map[string]any) bool {
		return g["open"] == true && g["max"] == 7.0 && g["beat_ms"] == 2000.0
	})
	alice.ok("group", "set", "friends", "--open=false")
	show(carol, "alice's setting", func(g map[string]any) bool {
		return g["open"] == false && g["max"] == 7.0 && g["beat_ms"] == 2000.0
	})
	alice.ok("group", "role", "friends", bob.id, "member")
	show(carol, "bob as member", role(bob, "member"))
	alice.ok("group", "hub", "friends", "--move", bob.id)
	show(carol, "bob as hub", func(g map[string]any) bool { return g["hub"] == bob.id })
	groups := func(d *daemon, n int) {
		t.Helper()
		until(t, d.name+"'s list", func() bool { return len(d.rows("group", "list")) == n })
	}
	alice.ok("group", "kick", "friends", carol.id)
	groups(carol, 0)
	groups(bob, 1)
	alice.ok("group", "dissolve", "friends")
	groups(bob, 0)
	groups(alice, 0)
}

// A relay that a group was made with serves it without being in it; listed no more,
// it does not.
func TestARelayServesAGroupFromTheCommandLine(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	alice, relay := m.start(t, "alice"), m.start(t, "relay", "--hub", "on")
	alice.ok("group", "create", "friends", "--hub-relays", relay.id)
	until(t, "the relay serves", func() bool { return len(relay.rows("group", "served")) == 1 })
	until(t, "the relay is shadow", func() bool { return alice.object("group", "show", "friends")["shadow"] == relay.id })
	if text := alice.ok("group", "show", "friends"); !strings.Contains(text, "RELAY") || !strings.Contains(text, relay.id) {
		t.Errorf("shown without the relay: %s", text)
	}
	if g := relay.object("group", "served"); g["place"] != "shadow" || g["lister"] != alice.id || g["members"] != 1.0 {
		t.Errorf("it serves %v", g)
	}
	if in := relay.rows("group", "list"); len(in) != 0 {
		t.Errorf("it is in %v", in)
	}
	alice.ok("group", "set", "friends", "--hub-relays", "")
	until(t, "the relay serves nothing", func() bool { return len(relay.rows("group", "served")) == 0 })
	for _, wrong := range [][]string{
		{"group", "set", "friends", "--hub-relays", "nobody"},
		{"start", "--hub", "perhaps"},
	} {
		if end := alice.run(wrong...).wait(); end.code == 0 {
			t.Errorf("%v ends with %d: %s", wrong, end.code, end.err)
		}
	}
}
