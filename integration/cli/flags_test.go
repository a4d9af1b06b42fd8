//go:build unix

package cli

import "testing"

// What start is told is what the daemon does.
func TestADaemonDoesWhatItsFlagsSay(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	usual := m.start(t, "usual")
	told := m.start(t, "told", "--low-memory", "--no-dht", "--backup", "off", "--backup-quota", "1M", "--reachability", "private", "--relay", "on")
	for _, tt := range []struct {
		command, key string
		told, usual  any
	}{
		{"status", "low_memory", true, nil},
		{"doctor", "reachability", "private", "local"},
		{"mailbox", "offers", false, true},
		{"mailbox", "quota", 1.0 * (1 << 20), 128.0 * (1 << 20)},
	} {
		if v := told.object(tt.command)[tt.key]; v != tt.told {
			t.Errorf("told: %s says %s: %v", tt.command, tt.key, v)
		}
		if v := usual.object(tt.command)[tt.key]; v != tt.usual {
			t.Errorf("usual: %s says %s: %v", tt.command, tt.key, v)
		}
	}
	until(t, "told relays for others", func() bool { return told.object("doctor")["serving"] == true })
	if usual.object("doctor")["serving"] != false {
		t.Error("usual relays for others")
	}
	for from, to := range map[*daemon]*daemon{told: usual, usual: told} {
		asked := map[any]bool{}
		until(t, from.name+" finds "+to.name, func() bool {
			found := false
			r := m.tomd(t, from.name, "", "find", to.id, "--json")
			for _, answer := range objects(t, r.out) {
				asked[answer["source"]] = true
				found = found || len(answer["addrs"].([]any)) > 0
			}
			return found
		})
		if asked["dht"] != (from == usual) {
			t.Errorf("%s asks %v", from.name, asked)
		}
	}
}
