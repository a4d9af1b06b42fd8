package stress

import (
	"context"
	"slices"
)

// phase is something to do to daemons, and to be judged by.
type phase struct {
	name, about string
	weight      float64 // its part of a campaign's time
	elsewhere   bool    // a listener elsewhere will do for it
	play        func(s *stage, ctx context.Context) error
}

// phases are all of them, in the order a campaign plays them.
var phases = []phase{
	{"ping", "a message, its receipt, the next message", 1, true, (*stage).ping},
	{"endurance", "steadily, while each side is killed now and then", 3, true, (*stage).endurance},
}

// Phases are the names of the phases, and what each does.
func Phases() (all [][2]string) {
	for _, p := range phases {
		all = append(all, [2]string{p.name, p.about})
	}
	return all
}

func phaseOf(name string) (phase, bool) {
	i := slices.IndexFunc(phases, func(p phase) bool { return p.name == name })
	if i < 0 {
		return phase{}, false
	}
	return phases[i], true
}
