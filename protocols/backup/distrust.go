package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Of those who could not show what they had signed for.
const (
	distrustAfter = 3         // envelopes, with none shown in between
	distrustTime  = time.Hour // since the last of them, for which others are asked first
	maxDistrust   = 1024      // that are remembered
)

// distrust remembers who failed audits lately, beyond the envelopes that they
// were about. One failure says little: whoever finds that enough others have an
// envelope lets go of it. Who shows one is trusted again, and so is everybody
// after a while: who has lost a disk is no liar.
type distrust map[protocols.Key]failures

type failures struct {
	count int
	last  time.Time
}

// failed notes that a peer could not show an envelope that it was known to hold.
func (d distrust) failed(now time.Time, p protocols.Key) {
	f, ok := d[p]
	if !ok && len(d) >= maxDistrust {
		d.dropOldest()
	}
	if age := now.Sub(f.last); age < 0 || age >= distrustTime { // the clock may have been wrong
		f.count = 0
	}
	d[p] = failures{f.count + 1, now}
}

// shown notes that a peer has shown an envelope.
func (d distrust) shown(p protocols.Key) { delete(d, p) }

// has says that others are to be asked first.
func (d distrust) has(now time.Time, p protocols.Key) bool {
	f := d[p]
	age := now.Sub(f.last)
	return f.count >= distrustAfter && age >= 0 && age < distrustTime
}

func (d distrust) dropOldest() {
	var oldest protocols.Key
	var at time.Time
	for p, f := range d {
		if at.IsZero() || f.last.Before(at) || f.last.Equal(at) && string(p[:]) < string(oldest[:]) {
			oldest, at = p, f.last
		}
	}
	delete(d, oldest)
}
