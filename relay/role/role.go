package role

import (
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// Mode is what the user has said about a role.
type Mode uint8

// The modes.
const (
	Auto Mode = iota // by circumstance
	On               // the user vouches that the node can be reached
	Off              // never
)

var modeNames = [...]string{"auto", "on", "off"}

// ParseMode reads a mode; the empty word is Auto.
func ParseMode(word string) (Mode, error) {
	if word == "" {
		return Auto, nil
	}
	for i, name := range modeNames {
		if word == name {
			return Mode(i), nil
		}
	}
	return Auto, fmt.Errorf("%q is none of auto, on and off", word)
}

// String is the mode's word.
func (m Mode) String() string { return modeNames[m] }

// How long a circumstance must have lasted, and what counts as loaded.
const (
	beginAfter  = 10 * time.Second // public and at ease: begin to relay
	hiddenAfter = time.Minute      // not public: end it
	loadedAfter = 30 * time.Second // overloaded: pause
	atEase      = 0.5
	overloaded  = 0.9
)

// Circumstance is how a node is doing.
type Circumstance struct {
	Public bool    // it can be reached from outside
	Load   float64 // 0 idle, 1 full
}

// Judge decides about the role of a relay, one call after the other. The zero
// value is a judge of mode Auto.
type Judge struct {
	Mode Mode

	relays bool
	since  time.Time // when what speaks against the present state began; zero: nothing does
	after  time.Duration
}

// Step takes in how the node is doing now and returns the roles it offers.
func (j *Judge) Step(now time.Time, c Circumstance) (roles []uint8) {
	want, after := j.want(c)
	switch {
	case want == j.relays:
		j.since = time.Time{}
	case j.since.IsZero() || j.since.After(now): // or the clock was set back
		j.since = now
	}
	j.after = after
	if want != j.relays && now.Sub(j.since) >= after {
		j.relays, j.since = want, time.Time{}
	}
	return j.Roles()
}

// Roles are those that the newest step has found.
func (j *Judge) Roles() []uint8 {
	if !j.relays {
		return nil
	}
	return []uint8{heartbeat.RoleRelay}
}

// Deadline is when the next step would find something new though nothing has
// happened; zero for never.
func (j *Judge) Deadline() time.Time {
	if j.since.IsZero() {
		return time.Time{}
	}
	return j.since.Add(j.after)
}

// want is what circumstance asks for, and how long it must have asked. Between
// ease and overload all stays as it is.
func (j *Judge) want(c Circumstance) (relay bool, after time.Duration) {
	reachable := c.Public || j.Mode == On
	switch {
	case j.Mode == Off:
		return false, 0
	case !reachable:
		return false, hiddenAfter
	case c.Load > overloaded:
		return false, loadedAfter
	case j.Mode == On:
		return true, 0
	case c.Load < atEase:
		return true, beginAfter
	}
	return j.relays, 0
}
