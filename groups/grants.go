package groups

import (
	"time"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// step is how far a member has been given the own chain.
type step uint8

const (
	lacks   step = iota // it is to be given it by the hub
	asked               // its prekeys are wanted of the hub
	told                // these are here
	boxing              // a box is made for it
	handed              // the hub is to pass the box on, or has
	later               // the hub is new, and not connected to the member yet
	toPost              // it is to be given it by post
	posting             // it goes to the post
	given               // it has it, or the post keeps it for it
	steps
)

// has says that no message waits for the member.
func (s step) has() bool { return s == handed || s == later || s == given }

// grant is what was done to give a member the own chain.
type grant struct {
	step  step
	since time.Time
	body  []byte          // what was made of the chain for the member; nil: nothing yet, or it has opened something by it
	shows wire.RecordName // the first message that was sealed since: who has opened it has the chain; zero: none was
	tried bool            // that message stands in the log
}

// grants are those of one chain to the other members.
type grants struct {
	of     map[protocols.Key]*grant
	count  [steps]int
	fresh  []protocols.Key                     // for whom something was made since the last message was sealed
	trials map[wire.RecordName][]protocols.Key // whose grants a message shows, which does not stand in the log yet
	flying flights                             // what was sealed and does not stand there yet, oldest first
}

func newGrants() *grants {
	return &grants{of: make(map[protocols.Key]*grant), trials: make(map[wire.RecordName][]protocols.Key)}
}

// know says who is a member, and returns whether one is no more who had the chain.
func (g *grants) know(f *roster.Fold, self protocols.Key) (had bool) {
	for p, x := range g.of {
		if !f.Member(p) {
			had = had || x.step == given
			g.count[x.step]--
			delete(g.of, p)
		}
	}
	for p := range f.All() {
		if g.of[p] == nil && p != self {
			g.set(p, lacks, time.Time{})
		}
	}
	return had
}

// set takes a member a step on, or back.
func (g *grants) set(p protocols.Key, s step, now time.Time) {
	x := g.of[p]
	if x == nil {
		x = new(grant)
		g.of[p] = x
	} else {
		g.count[x.step]--
	}
	g.count[s]++
	x.step, x.since = s, now
}

// at says whether a member has come as far as that.
func (g *grants) at(p protocols.Key, s step) bool { x := g.of[p]; return x != nil && x.step == s }

// has says that a member was given the chain, by whatever way.
func (g *grants) has(p protocols.Key) bool { x := g.of[p]; return x != nil && x.step.has() }

// lacking is for how many members messages wait.
func (g *grants) lacking() int {
	return len(g.of) - g.count[handed] - g.count[later] - g.count[given]
}

// take takes all who have come so far to another step. What is made for those for whom
// nothing was yet, is body.
func (g *grants) take(from, to step, body func() []byte, now time.Time) (list []letter) {
	if g.count[from] == 0 {
		return nil
	}
	var made []byte
	for p, x := range g.of {
		if x.step != from {
			continue
		}
		if x.body == nil {
			if made == nil {
				made = body()
			}
			g.made(p, made)
		}
		g.set(p, to, now)
		list = append(list, letter{p, x.body, from == told})
	}
	return list
}

// made takes what was made of the chain for a member. The next message shows whether it
// has it.
func (g *grants) made(p protocols.Key, body []byte) {
	x := g.of[p]
	x.body, x.shows, x.tried = body, wire.RecordName{}, false
	g.fresh = append(g.fresh, p)
}

// newcomers are those for whom nothing was made yet, nor anything sealed since they are
// known.
func (g *grants) newcomers() (list []protocols.Key) {
	for p, x := range g.of {
		if x.step == lacks && x.body == nil {
			list = append(list, p)
		}
	}
	return list
}

// again has those letters posted again that were not taken.
func (g *grants) again(list []letter, now time.Time) {
	for _, l := range list {
		if g.at(l.to, posting) {
			g.set(l.to, toPost, now)
		}
	}
}

// back has the hub given again all that the one before may not have passed on.
func (g *grants) back(now time.Time) {
	for p, x := range g.of {
		if x.step == asked || x.step == told || x.step == handed || x.step == later {
			g.set(p, lacks, now)
		}
	}
}

// sealed notes a message, and the chain as it was before: who opens it has what was made
// before.
func (g *grants) sealed(name wire.RecordName, chain senderkey.State) {
	g.flying.leaves(name, chain)
	if len(g.fresh) == 0 {
		return
	}
	for _, p := range g.fresh {
		if x := g.of[p]; x != nil {
			x.shows = name
		}
	}
	g.trials[name], g.fresh = g.fresh, nil
}

// stands notes that a message stands in the log, and returns the members who can show
// now that they have what was made for them.
func (g *grants) stands(name wire.RecordName, seq wire.Seq, now time.Time) (tried []protocols.Key) {
	g.flying.lands(name, seq)
	for _, p := range g.trials[name] {
		if x := g.of[p]; x != nil && x.shows == name {
			x.tried, tried = true, append(tried, p)
			if x.step == handed {
				x.since = now
			}
		}
	}
	delete(g.trials, name)
	return tried
}

// never notes that a message will not stand there: another shows it.
func (g *grants) never(name wire.RecordName) {
	g.fresh = append(g.fresh, g.trials[name]...)
	delete(g.trials, name)
	g.flying.falls(name)
}

// shown notes that a member has opened what shows that it has the chain.
func (g *grants) shown(p protocols.Key, now time.Time) {
	x := g.of[p]
	if x.body = nil; x.step == handed {
		g.set(p, given, now)
	}
}

// waits is for how long the hub, and those whom it passes boxes on to, are waited for.
type waits struct {
	gap   time.Duration // while nothing comes
	quiet time.Duration // the same, while nothing is heard of the hub: another may follow it
	all   time.Duration // whatever comes
	came  time.Time     // when something did last
	heard time.Time     // when the hub was
}

// end is when a wait is over.
func (w waits) end(since time.Time) time.Time {
	gap := w.gap
	if w.heard.Before(since) {
		gap = max(gap, w.quiet)
	}
	end := since.Add(gap)
	if renewed := w.came.Add(w.gap); renewed.After(end) {
		end = renewed
	}
	if last := since.Add(max(w.all, gap)); last.Before(end) {
		return last
	}
	return end
}

// overdue has the chain posted to those who were waited for in vain. It returns when
// to look again; zero: nobody is waited for.
func (g *grants) overdue(now time.Time, w waits) (next time.Time) {
	for p, x := range g.of {
		if x.step != asked && (x.step != handed || !x.tried) {
			continue
		}
		switch end := w.end(x.since); {
		case !now.Before(end), now.Before(x.since):
			g.set(p, toPost, now)
		case next.IsZero(), end.Before(next):
			next = end
		}
	}
	return next
}
