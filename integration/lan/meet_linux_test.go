package lan

import (
	"slices"
	"testing"
	"time"
)

// soon is how fast daemons of one LAN find each other, on a busy machine.
const soon = 8 * time.Second

func TestDaemonsOfOneLANMeetAndOtherNetworksDoNot(t *testing.T) {
	t.Parallel()
	for name, v6 := range map[string]bool{"IPv4": false, "IPv6": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, v6)
			carol, dave := o.start("carol", "others"), o.start("dave", "others")
			alice, bob := o.start("alice", "ours"), o.start("bob", "ours")
			for _, pair := range [][2]*daemon{{alice, bob}, {bob, alice}, {dave, carol}} {
				end := pair[0].sends(pair[1], soon)
				if end.State != "delivered" || end.Path != "direct" {
					t.Errorf("%s to %s: %+v", pair[0].namespace, pair[1].namespace, end)
				}
				t.Logf("delivered %d ms after it was written", end.Elapsed)
			}
			if !alice.knows(bob) || !carol.knows(dave) {
				t.Error("they met and do not know each other")
			}
			for _, one := range []*daemon{alice, bob} {
				for _, other := range []*daemon{carol, dave} {
					if one.knows(other) || other.knows(one) {
						t.Error("daemons of two networks have met")
					}
				}
			}
		})
	}
}

func TestWhoDoesWithoutMDNSIsNotFound(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	alice, bob := o.start("alice", "ours", "--no-mdns"), o.start("bob", "ours", "--no-mdns")
	carol := o.start("carol", "ours")
	// Those who take part meet well within this time: the test above.
	const long = 2 * time.Second
	for _, end := range []sent{alice.sends(bob, long), carol.sends(alice, long)} {
		if end.State != "queued" {
			t.Errorf("sent to nobody: %+v", end)
		}
	}
	if alice.knows(bob) || alice.knows(carol) || bob.knows(carol) || carol.knows(alice) {
		t.Error("somebody was found")
	}
	// Nothing else was in the way.
	alice.run("connect", bob.Link)
	if end := alice.sends(bob, soon); end.State != "delivered" || end.Path != "direct" {
		t.Errorf("after an introduction: %+v", end)
	}
}

// A daemon is to listen 150 ms after its start. This machine may be busy with
// other tests: a start that is quick once tells of the daemon and not of them.
func TestSocketAnswersSoonAfterTheStart(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	const quick = time.Second
	var took []time.Duration
	for len(took) < 3 || slices.Min(took) > quick && len(took) < 20 {
		took = append(took, o.start("alice", "ours").ready.Round(time.Millisecond))
	}
	t.Logf("the socket answers after %v", took)
	if best := slices.Min(took); best > quick {
		t.Errorf("the socket answers after %v at best", best)
	}
}
