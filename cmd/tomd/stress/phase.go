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
	{"ping", "a message, its receipt, the next message", 5, true, (*stage).ping},
	{"burst", "as fast as both ends take it", 7, true, (*stage).burst},
	{"ladder", "from 1 KiB to the largest message there can be", 8, true, (*stage).ladder},
	{"fanout", "each message to several at once", 7, false, (*stage).fanout},
	{"e2e", "each message sealed, signed for, and in clear on no disk", 7, true, (*stage).e2e},
	{"group", "everybody in a group writes", 11, false, (*stage).groupTalk},
	{"backup", "the recipient is away, the sender goes, others bring it", 14, false, (*stage).backup},
	{"failover", "the hub of a group is killed, and the talk goes on", 18, false, (*stage).failover},
	{"roam", "each comes back under another address", 11, false, (*stage).roam},
	{"chaos", "killed, paused and stopped at random, while all write", 16, false, (*stage).chaos},
	{"endurance", "steadily, while each side is killed now and then", 16, true, (*stage).endurance},
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
