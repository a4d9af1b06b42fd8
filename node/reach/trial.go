package reach

import "time"

// An address in doubt is not told to others as long as they can come by a relay:
// each would lose more than a second on it if the doubt is right. But so no
// stranger would ever come to it, and the doubt would stay. So it is told on
// trial, until somebody comes: if directly, it is believed from then on; if by a
// circuit all the same, it is kept back again, and the next trial is later.
const (
	firstTrial = 10 * time.Minute // from one trial to the next; doubled each time
	rareTrial  = 12 * time.Hour   // at most
	hearsay    = 30 * time.Second // who comes by a circuit so soon has not heard of the address
)

// trial is when an address in doubt is told.
type trial struct {
	begins time.Time // zero: none is planned
	wait   time.Duration
}

// plan has the first trial begin once strangers count, which they do from at on.
func (t *trial) plan(at time.Time) {
	if t.begins.IsZero() {
		t.begins = at
	}
}

// on says that a trial is on.
func (t *trial) on(now time.Time) bool { return !t.begins.IsZero() && !now.Before(t.begins) }

// failed takes in that somebody came by a circuit, and says whether that ends a
// trial.
func (t *trial) failed(now time.Time) bool {
	if !t.on(now) || now.Before(t.begins.Add(hearsay)) {
		return false
	}
	t.wait = min(max(2*t.wait, firstTrial), rareTrial)
	t.begins = now.Add(t.wait)
	return true
}
