package weather

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

// bad is the weather of these tests.
const bad = "loss=20%,delay=20ms,kill-stream=30/min"

// amount is how many messages go each way: more with SOAK set.
func amount() int {
	if os.Getenv("SOAK") != "" {
		return 1000
	}
	return 12
}

// One end drops a fifth of all frames, each way, and kills streams.
func TestEverythingArrivesOnceInBadWeather(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := start(m, "alice"), start(m, "bob", "--chaos", bad)
	if _, err := alice.Client.Connect(t.Context(), bob.Link); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	sent := map[station][]string{}
	for i := range amount() {
		for from, to := range map[station]station{alice: bob, bob: alice} {
			m, err := from.Client.Send(t.Context(), localapi.Outgoing{To: to.ID, Content: localapi.NewContent("", fmt.Appendf(nil, "message %d", i))})
			if err != nil {
				t.Fatal(err)
			}
			sent[from] = append(sent[from], m.ID)
		}
	}
	for from, ids := range sent {
		for _, id := range ids {
			if m, err := from.Client.Wait(t.Context(), id, localapi.Delivered, 2*time.Minute); err != nil || !m.State.Reached(localapi.Delivered) {
				trace, _ := from.Client.Trace(t.Context(), id)
				t.Fatalf("%s of %s is %s, %v: %+v", id, from.Name, m.State, err, trace)
			}
		}
	}
	t.Logf("%d messages each way delivered after %s", amount(), time.Since(begun).Round(time.Millisecond))
	for _, to := range []station{alice, bob} {
		seen := map[string]int{}
		for page, err := range to.Client.Inbox(t.Context(), localapi.InboxQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Messages {
				seen[r.Body]++
			}
		}
		for i := range amount() {
			if n := seen[fmt.Sprint("message ", i)]; n != 1 {
				t.Errorf("message %d is in the inbox of %s %d times", i, to.Name, n)
			}
		}
	}
	lossWasAsTold(t, bob, 0.20)
}

// lossWasAsTold compares the loss that a daemon counts with the one it was told.
func lossWasAsTold(t *testing.T, s station, told float64) {
	t.Helper()
	for _, direction := range []string{"in", "out"} {
		count := func(fate string) float64 {
			return s.metric(t, fmt.Sprintf("tom_weather_frames_total{direction=%q,fate=%q}", direction, fate))
		}
		lost, passed := count("lost"), count("passed")
		all := lost + passed
		t.Logf("%s lost %.1f%% of %.0f frames (%s)", s.Name, 100*lost/all, all, direction)
		if off := 6 * math.Sqrt(told*(1-told)/all); all < 30 || math.Abs(lost/all-told) > off { // six deviations
			t.Errorf("%s lost %v of %v frames (%s), and was told %v", s.Name, lost, all, direction, told)
		}
	}
}

// A group talks in it too: everybody has every record once, in the same order.
func TestAGroupAgreesInBadWeather(t *testing.T) {
	t.Parallel()
	const records = 30
	m := proctest.New(t)
	members := []station{start(m, "alice", "--chaos", bad), start(m, "bob", "--chaos", bad), start(m, "carol", "--chaos", bad)}
	group, err := members[0].Client.CreateGroup(t.Context(), localapi.NewGroup{Name: "friends"})
	if err != nil {
		t.Fatal(err)
	}
	invite, err := members[0].Client.InviteToGroup(t.Context(), group.Group, localapi.NewInvite{Uses: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range members[1:] {
		join(t, s, invite.Link)
	}
	begun := time.Now()
	for i := range records {
		s := members[i%len(members)]
		if _, err := s.Client.SendToGroup(t.Context(), group.Group, localapi.NewContent("", fmt.Append(nil, i))); err != nil {
			t.Fatal(err)
		}
	}
	bob, carol := messages(t, members[1], group.Group, records), messages(t, members[2], group.Group, records)
	alice := messages(t, members[0], group.Group, records)
	t.Logf("%d records are with all after %s", records, time.Since(begun).Round(time.Millisecond))
	if !slices.Equal(alice, bob) || !slices.Equal(bob, carol) {
		t.Errorf("they do not agree:\n%q\n%q\n%q", alice, bob, carol)
	}
	slices.Sort(alice)
	if n := len(slices.Compact(alice)); n != records {
		t.Errorf("%d different records of %d: %q", n, records, alice)
	}
}

// messages waits until a member can read so many messages: in such weather some
// come before their keys.
func messages(t *testing.T, s station, group string, want int) (bodies []string) {
	t.Helper()
	_, err := proc.Until(t.Context(), 2*time.Minute, func() string {
		page, err := s.Client.GroupLog(t.Context(), group, localapi.GroupLogQuery{})
		if err != nil {
			return err.Error()
		}
		bodies = nil
		for _, r := range page {
			if r.Kind == "message" && r.Body != "" {
				bodies = append(bodies, r.Body)
			}
		}
		if len(bodies) < want {
			return fmt.Sprintf("%s reads %d of %d messages", s.Name, len(bodies), want)
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return bodies
}

// join tries as often as a person would.
func join(t *testing.T, s station, link string) {
	t.Helper()
	for range 5 {
		_, err := s.Client.JoinGroup(t.Context(), link)
		if err == nil {
			return
		}
		t.Logf("%s: %v", s.Name, err)
	}
	t.Fatalf("%s cannot join", s.Name)
}

func TestChaosIsSaidAloud(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	for _, args := range [][]string{
		{"start", "--local", "--chaos", "loss=5%"},
		{"start", "--local", "--network", "main", "--chaos", "loss=5%"},
	} {
		r, err := m.Run(t.Context(), "main", "", args...)
		if err != nil || r.Code != 2 || !strings.Contains(r.Err, "--network chaos") {
			t.Errorf("on the default network: %+v, %v", r, err)
		}
	}
	r, err := m.Run(t.Context(), "typo", "", "start", "--local", "--network", "test", "--chaos", "loss=5")
	if err != nil || r.Code != 2 || !strings.Contains(r.Err, "say loss=5%") {
		t.Errorf("a typo: %+v, %v", r, err)
	}
	s := start(m, "loud", "--chaos", bad)
	status, err := s.Client.Status(t.Context())
	if err != nil || status.Chaos != "loss=20%,delay=20ms,kill-stream=30/min" || len(status.Notices) == 0 || !strings.Contains(status.Notices[0], "CHAOS") {
		t.Errorf("status: %+v, %v", status, err)
	}
	for _, command := range []string{"status", "doctor"} {
		if out, err := s.Output(t.Context(), command); err != nil || !strings.Contains(out, "CHAOS") {
			t.Errorf("%s: %s, %v", command, out, err)
		}
	}
	if err := s.Stop(t.Context()); err != nil || !strings.Contains(s.Stderr(), "CHAOS") {
		t.Errorf("stopped: %v; it said %q", err, s.Stderr())
	}
	quiet := start(m, "quiet")
	status, err = quiet.Client.Status(t.Context())
	if err != nil || status.Chaos != "" || strings.Contains(fmt.Sprint(status.Notices), "CHAOS") {
		t.Errorf("without: %+v, %v", status, err)
	}
}
