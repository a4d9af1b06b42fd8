package clock

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

const (
	// maxPeers bounds whose clocks are remembered.
	maxPeers = 256
	// tolerance is how far a clock may be off and still agree: as much as an
	// envelope's may.
	tolerance = 5 * time.Minute
	// quorum is how many peers make a median.
	quorum = 3
	// agreement is how many that agree bear this clock out.
	agreement = 2
)

// peers is how far each connected peer's clock is ahead.
type peers map[protocols.Key]time.Duration

func (p peers) note(key protocols.Key, offset time.Duration) {
	if _, known := p[key]; known || len(p) < maxPeers {
		p[key] = offset
	}
}

// agreeing counts the clocks of others than one that tell what ours does.
func (p peers) agreeing(besides protocols.Key) (n int) {
	for key, offset := range p {
		if key != besides && offset.Abs() <= tolerance {
			n++
		}
	}
	return n
}

func (p peers) median() (time.Duration, bool) {
	if len(p) < quorum {
		return 0, false
	}
	var all []time.Duration
	for _, offset := range p {
		all = append(all, offset)
	}
	slices.Sort(all)
	mid := len(all) / 2
	if len(all)%2 == 1 {
		return all[mid], true
	}
	return all[mid-1] + (all[mid]-all[mid-1])/2, true
}
