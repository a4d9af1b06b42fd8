package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// rows are the JSON objects a command prints, one a line.
func (d *daemon) rows(args ...string) []map[string]any {
	d.t.Helper()
	return objects(d.t, d.ok(append(args, "--json")...))
}

// objects are those of a text, one a line.
func objects(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		all = append(all, parse(t, line))
	}
	return all
}

// until repeats a look until it shows what is wanted.
func until(t *testing.T, what string, seen func() bool) {
	t.Helper()
	_, err := proc.Until(t.Context(), 30*time.Second, func() string {
		if seen() {
			return ""
		}
		return what
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhoRelaysAndWhyIsShown(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	relay := m.start(t, "relay", "--relay", "on", "--reachability", "public")
	alice := m.start(t, "alice", "--bootstrap", relay.link, "--relay", "off")
	until(t, "alice lists the relay", func() bool {
		relays := alice.rows("relays")
		return len(relays) == 1 && relays[0]["id"] == relay.id && relays[0]["rank"] == 1.0 && relays[0]["why"] != ""
	})
	if text := alice.ok("relays"); !strings.Contains(text, "relay?") || !strings.Contains(text, "success") {
		t.Errorf("relays prints %q", text)
	}
	why := alice.object("peers", "why", relay.id)
	if why["id"] != relay.id || why["connected"] != true || why["weight"] != 1.0 || len(why["terms"].([]any)) == 0 {
		t.Errorf("why %v", why)
	}
	term := why["terms"].([]any)[0].(map[string]any)["what"].(string)
	if text := alice.ok("peers", "why", relay.id); !strings.Contains(text, "weight under load  1.00") || !strings.Contains(text, term) {
		t.Errorf("why prints %q, without %q", text, term)
	}
	until(t, "the relay serves others", func() bool { return relay.object("doctor")["serving"] == true })
	if doctor := alice.object("doctor"); doctor["serving"] != false || doctor["reachability"] == "public" {
		t.Errorf("alice's doctor %v", doctor)
	}
}

func TestDoctorSaysWhatLimitsANodeAndWhatToDo(t *testing.T) {
	t.Parallel()
	alice := newMachine(t).start(t, "alice")
	d := alice.object("doctor")
	findings := d["findings"].([]any)
	if len(findings) == 0 {
		t.Fatalf("no finding for a node on its own: %v", d)
	}
	first := findings[0].(map[string]any)
	if first["problem"] == "" || first["advice"] == "" || len(d["ways"].([]any)) != 4 {
		t.Errorf("doctor %v", d)
	}
	text := alice.ok("doctor")
	for _, said := range []string{first["problem"].(string), first["advice"].(string), "UDP over IPv4", "TCP over IPv6"} {
		if !strings.Contains(text, said) {
			t.Errorf("doctor does not say %q, but %q", said, text)
		}
	}
}

func TestFindShowsEachSourcesAnswer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	bob := m.start(t, "bob")
	alice := m.start(t, "alice", "--bootstrap", bob.link)
	sources := map[string]bool{}
	until(t, "alice finds bob", func() bool {
		for _, answer := range alice.rows("find", bob.id) {
			sources[answer["source"].(string)] = len(answer["addrs"].([]any)) > 0
		}
		return sources["bootstrap"] && sources["dht"]
	})
	nobody := "12D3KooWH6eLPnuv8WU5EwJskPjdcJzsnJwosxcF74RehZCwJgyL"
	r := m.tomd(t, "alice", "", "find", nobody)
	if r.code != 1 || !strings.Contains(r.err, "contact link") || !strings.Contains(r.out, "does not know it") {
		t.Errorf("find of nobody: %+v", r)
	}
}

func TestWrongWordsForRolesAreExplained(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, flag := range []string{"--relay", "--reachability"} {
		r := m.tomd(t, "nobody", "", "start", flag, "maybe")
		if r.code != 2 || !strings.Contains(r.err, flag) || !strings.Contains(r.err, "auto") {
			t.Errorf("start %s maybe: %+v", flag, r)
		}
	}
}
