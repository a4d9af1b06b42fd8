package groups

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// A room wakes for what is first due of its keys: by a member that shows nothing it
// would not be woken.
func TestKeysWakeTheirRoom(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	waiting := map[wire.RecordName]*unopened{{}: nil}
	for what, c := range map[string]struct {
		keys keys
		want time.Time
	}{
		"nothing":                      {keys{}, at(9)},
		"nothing that is sooner":       {keys{waiting: waiting, look: at(10), inBy: at(11), showBy: at(12)}, at(9)},
		"who has not shown its key":    {keys{waiting: waiting, look: at(5), inBy: at(4), showBy: at(3)}, at(3)},
		"chains to be on disk":         {keys{inBy: at(2), showBy: at(3)}, at(2)},
		"messages that wait for a key": {keys{waiting: waiting, look: at(1), inBy: at(2)}, at(1)},
		"a look when none waits":       {keys{look: at(1), inBy: at(2)}, at(2)},
	} {
		if got := c.keys.due(at(9)); !got.Equal(c.want) {
			t.Errorf("%s: due at %v", what, got)
		}
	}
}

// Nothing wakes it for a hub, or the post, that was waited for, once nobody lacks the
// chain any more.
func TestNothingWakesARoomForKeysThatNobodyLacks(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	k := &keys{grants: newGrants(), again: now.Add(-time.Second), postAgain: now.Add(-time.Second)}
	k.hand(now)
	k.mail(now)
	if got := k.due(now.Add(time.Second)); got.Before(now.Add(time.Second)) {
		t.Errorf("due %v before", now.Sub(got))
	}
}
