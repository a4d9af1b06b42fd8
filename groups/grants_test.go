package groups

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Who was given something for others is waited for as long as something comes of it,
// for longer if the hub is gone so that another may follow, and never for ever.
func TestWhatTheHubWasGivenIsWaitedFor(t *testing.T) {
	t.Parallel()
	begun := time.Unix(1000, 0)
	at := func(s int) time.Time { return begun.Add(time.Duration(s) * time.Second) }
	for what, c := range map[string]struct {
		came, heard time.Time
		want        time.Time
	}{
		"nothing comes":                  {heard: at(0), want: at(3)},
		"something came before":          {came: at(-1), heard: at(1), want: at(3)},
		"something comes":                {came: at(2), heard: at(2), want: at(5)},
		"something comes again":          {came: at(16), heard: at(16), want: at(19)},
		"something comes for too long":   {came: at(19), heard: at(19), want: at(20)},
		"the hub is not heard":           {heard: at(-1), want: at(5)},
		"the hub is not heard, but of":   {came: at(4), heard: at(-1), want: at(7)},
		"the hub was heard never before": {want: at(5)},
	} {
		w := waits{gap: 3 * time.Second, quiet: 5 * time.Second, all: 20 * time.Second, came: c.came, heard: c.heard}
		if got := w.end(begun); !got.Equal(c.want) {
			t.Errorf("%s: until %v, not %v", what, got.Sub(begun), c.want.Sub(begun))
		}
	}
}

// grantees are members by how far they have been given the chain.
func grantees(g *grants, list ...step) (of []protocols.Key) {
	for i, s := range list {
		p := protocols.Key{byte(i + 1)}
		g.set(p, s, time.Unix(1000, 0))
		of = append(of, p)
	}
	return of
}

// A member has to show that it has the chain once there is a message in the log that it
// can show it by, and by no other.
func TestAMemberShowsThatItHasTheChainByWhatItCanOpen(t *testing.T) {
	t.Parallel()
	g, now := newGrants(), time.Unix(1000, 0)
	of := grantees(g, lacks)
	none, first, second := wire.RecordName{}, wire.RecordName{ID: wire.RecordID{1}}, wire.RecordName{ID: wire.RecordID{2}}
	g.sealed(none, senderkey.State{}) // before it is made for the member
	g.take(lacks, handed, func() []byte { return []byte("chain") }, now)
	w := waits{gap: time.Second, all: time.Second, heard: now}
	looks := func(after time.Duration, want step) {
		t.Helper()
		g.overdue(now.Add(after), w)
		if !g.at(of[0], want) {
			t.Errorf("it has come to %v", g.of[of[0]].step)
		}
	}
	looks(time.Hour, handed)
	g.stands(none, 1, now.Add(time.Hour))
	looks(2*time.Hour, handed)
	g.sealed(first, senderkey.State{})
	g.never(first)
	looks(3*time.Hour, handed)
	g.sealed(second, senderkey.State{})
	g.stands(first, 1, now.Add(4*time.Hour))
	looks(5*time.Hour, handed)
	if len(g.stands(second, 1, now.Add(6*time.Hour))) != 1 || g.of[of[0]].shows != second {
		t.Error("the message that stands in the log shows nothing")
	}
	looks(6*time.Hour, handed)
	looks(6*time.Hour+time.Second, toPost)
}

// A message that finds no way shows nothing: the next one does.
func TestTheNextMessageShowsWhatALostOneWouldHave(t *testing.T) {
	t.Parallel()
	r := &room{s: &Service{self: protocols.Key{9}}, keys: &keys{grants: newGrants()}}
	g, now := r.keys.grants, time.Unix(1000, 0)
	of := grantees(g, lacks)
	g.take(lacks, handed, func() []byte { return []byte("chain") }, now)
	first, second := wire.RecordName{Author: r.s.self, ID: wire.RecordID{1}}, wire.RecordName{Author: r.s.self, ID: wire.RecordID{2}}
	g.sealed(first, senderkey.State{})
	r.lost(sealed{record: wire.Record{ID: first.ID}, done: func(wire.RecordID, error) {}}, ErrBusy)
	g.sealed(second, senderkey.State{})
	if tried := g.stands(second, 1, now); len(tried) != 1 || tried[0] != of[0] || len(g.trials) != 0 {
		t.Errorf("it shows %v", tried)
	}
}

// Who is given the chain is counted, whatever happens meanwhile: messages wait for the
// others.
func TestMessagesWaitForWhoLacksTheChain(t *testing.T) {
	t.Parallel()
	g, now := newGrants(), time.Unix(1000, 0)
	of := grantees(g, lacks, asked, told, boxing, handed, later, toPost, posting, given)
	if g.lacking() != 6 {
		t.Errorf("%d lack it", g.lacking())
	}
	g.back(now)
	if g.lacking() != 8 || g.count[lacks] != 5 {
		t.Errorf("%d lack it when there is another hub, %d are to be given it by that", g.lacking(), g.count[lacks])
	}
	for _, p := range of {
		g.set(p, given, now)
	}
	if g.lacking() != 0 || g.count[given] != len(of) {
		t.Errorf("%d lack it, %v", g.lacking(), g.count)
	}
}

// A key that is missing is asked for when the hub has passed none on for so long, and not
// much later whatever it does.
func TestAMissingKeyIsAskedForWhenNoneComeAnyMore(t *testing.T) {
	t.Parallel()
	since := time.Unix(1000, 0)
	at := func(s int) time.Time { return since.Add(time.Duration(s) * time.Second) }
	for what, c := range map[string]struct {
		moving, now time.Time
		want        bool
	}{
		"it has just come":       {now: at(14)},
		"none came":              {now: at(15), want: true},
		"one came before":        {moving: at(-1), now: at(15), want: true},
		"one has come":           {moving: at(10), now: at(24)},
		"one came long ago":      {moving: at(10), now: at(25), want: true},
		"they come for too long": {moving: at(119), now: at(120), want: true},
	} {
		if k := (&keys{moving: c.moving}); k.overlong(c.now, since) != c.want {
			t.Errorf("%s: asked for: %v", what, !c.want)
		}
	}
}
