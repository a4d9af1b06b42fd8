package clock

import "time"

// sleepStep is how often the system's time asleep is read.
const sleepStep = time.Minute

// sleep remembers how long the system had slept in all. Go's monotonic time
// stands still meanwhile, on Linux, and the wall seems to leap on waking.
type sleep struct {
	total time.Duration
	at    time.Duration // time passed when it was read
}

// since returns for how long the system has slept since the last keep.
func (s *sleep) since(slept func() time.Duration) time.Duration { return slept() - s.total }

// keep notes how long the system has slept so far.
func (s *sleep) keep(slept func() time.Duration, passed time.Duration) {
	s.total, s.at = slept(), passed
}
