package groups

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

var (
	kills = flag.Int("groups.kills", 0, "measure: how often each trial kills (0: with SOAK=1 10 or 20 times, else it is not measured)")
	size  = flag.Int("groups.members", 10, "how many write in the first trial")
)

// trial is a way in which hubs are killed, again and again.
type trial struct {
	name        string
	members     int // 0: as the command line says
	beat        time.Duration
	dead        int  // how many are killed at once: the hub, its shadow, its candidate
	idle        bool // nobody writes but one, when the hub is dead
	short, long int  // how often, in the two forms
	p50, p99    time.Duration
}

// Of three that die at once those who are left wait as long as the longest of the
// three would have.
var trials = []trial{
	{"the hub, all writing", 0, half, 1, false, 3, 20, 1500 * time.Millisecond, 3 * time.Second},
	{"the hub, idle group", 6, half, 1, true, 2, 20, 2500 * time.Millisecond, 4 * time.Second},
	{"hub and shadow", 6, half, 2, false, 1, 10, 4 * time.Second, 8 * time.Second},
	{"hub, shadow, candidate", 6, half, 3, false, 1, 10, 15 * time.Second, 25 * time.Second},
	{"the hub, beats of 3 s", 6, 3 * time.Second, 1, false, 1, 10, 7 * time.Second, 9 * time.Second},
}

const (
	half  = 500 * time.Millisecond // the default beat
	away  = 5 * time.Second        // how long a process is dead
	often = 500 * time.Millisecond // between two messages of one author
)

// measures says that this is the long form. Its trials have the machine to
// themselves one after the other, and are held to the time that the group is without
// a hub. The usual form is not: percentiles of three kills are none, and with two
// dozen daemons and other tests on two processors they would be the machine's. There
// the quickest of several counts, and one alone must be over in the party's patience.
func measures() bool { return *kills > 0 || os.Getenv("SOAK") == "1" }

func (tr trial) times() int {
	switch {
	case *kills > 0:
		return *kills
	case measures():
		return tr.long
	}
	return tr.short
}

func TestAnotherHubTakesOverAndNothingAcceptedIsLost(t *testing.T) {
	if !measures() {
		t.Parallel()
	}
	for _, tr := range trials {
		t.Run(tr.name, func(t *testing.T) {
			if !measures() {
				t.Parallel()
			}
			tr.run(t)
		})
	}
}

func (tr trial) run(t *testing.T) {
	p := newParty(t, names(cmp.Or(tr.members, *size))...)
	p.beat(tr.beat)
	c := &chat{party: p}
	if !tr.idle {
		for _, d := range p.members {
			c.begin(d)
		}
	}
	var took []time.Duration
	for range tr.times() {
		took = append(took, c.killHub(tr))
	}
	c.end()
	c.holdsAll()
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	note("%s\t%d\t%s\t%d\t%s\t%s\t%s\t%d\t", tr.name, len(p.members), tr.beat, len(took), took[0], p50, p99, len(c.accepted))
	switch {
	case measures() && (p50 > tr.p50 || p99 > tr.p99):
		t.Errorf("from the kill to the first message that another hub accepted: %s, want p50 %s, p99 %s", took, tr.p50, tr.p99)
	case len(took) > 1 && took[0] > tr.p99:
		t.Errorf("from the kill to the first message that another hub accepted: %s, and once at least in %s", took, tr.p99)
	}
	if len(took) > 1 && tr.dead < 3 && c.promoted == 0 {
		t.Errorf("of %d times the next of the chain was never the one that took over", len(took))
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("m", i)
	}
	return list
}

// accepted is a message that its author was told is in the log.
type accepted struct {
	id   string
	term uint64
	at   time.Time
}

// chat is members that write, and what they were told.
type chat struct {
	*party
	writing sync.WaitGroup
	over    chan struct{} // closed to end the writing; made by the first begin

	promoted int // how often who was next in the chain took over

	mu       sync.Mutex
	accepted []accepted
}

// begin has a daemon write twice a second until the end, or its own.
func (c *chat) begin(d *proc.Daemon) {
	if c.over == nil {
		c.over = make(chan struct{})
	}
	c.writing.Go(func() {
		for n := 0; ; n++ {
			if !c.say(d, fmt.Sprintf("%s, started %s: %d", d.Name, d.Started.Format(time.StampMicro), n)) {
				return
			}
			select {
			case <-time.After(often):
			case <-c.over:
				return
			}
		}
	})
}

func (c *chat) end() {
	if c.over != nil {
		close(c.over)
	}
	c.writing.Wait()
}

// say writes a message and waits until it is accepted; false says that the daemon
// is gone.
func (c *chat) say(d *proc.Daemon, text string) bool {
	ctx := c.T.Context()
	sent, err := d.Client.SendToGroup(ctx, c.group, localapi.NewContent(localapi.DefaultType, []byte(text)))
	for err == nil && sent.State == localapi.GroupQueued {
		sent, err = d.Client.WaitGroup(ctx, c.group, sent.ID, localapi.GroupAccepted, time.Minute)
	}
	switch {
	case err != nil:
		return false
	case sent.State == localapi.GroupRefused:
		c.T.Errorf("%s: refused: %s", d.Name, sent.Reason)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted = append(c.accepted, accepted{sent.ID, sent.Term, time.Now()})
	return true
}

// after is the first message that was accepted in a later term.
func (c *chat) after(term uint64) (accepted, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.accepted {
		if a.term > term {
			return a, true
		}
	}
	return accepted{}, false
}

// killHub kills the first of the hub's chain at any moment, starts them again
// after a while, and returns how long nothing was accepted.
func (c *chat) killHub(tr trial) time.Duration {
	c.T.Helper()
	chain, g := c.chain(tr.dead)
	var gone sync.WaitGroup
	killed := time.Now()
	for _, d := range chain {
		gone.Go(d.Kill)
	}
	gone.Wait()
	left := c.without(chain)
	if tr.idle && !c.say(left[0], fmt.Sprint("who is hub? ", killed)) {
		c.T.Fatal("nothing can be written")
	}
	var first accepted
	c.eventually(func() (string, bool) {
		var ok bool
		first, ok = c.after(g.Term)
		return fmt.Sprintf("nothing was accepted after %s was killed", chain[0].Name), ok
	})
	<-time.After(away - time.Since(killed))
	for _, d := range chain {
		c.bring(d, tr.idle)
	}
	c.agree()
	now, err := c.members[0].Client.Group(c.T.Context(), c.group)
	c.Check(err)
	if tr.dead < 3 && now.Hub == []string{g.Shadow, g.Candidate}[tr.dead-1] {
		c.promoted++
	}
	return first.at.Sub(killed).Round(time.Millisecond)
}

// chain waits until the hub has a chain of that many, and for a moment between two
// beats.
func (c *chat) chain(n int) (list []*proc.Daemon, g localapi.Group) {
	c.T.Helper()
	c.chained(c.members[0])
	<-time.After(rand.N(half))
	g, err := c.members[0].Client.Group(c.T.Context(), c.group)
	c.Check(err)
	for _, id := range []string{g.Hub, g.Shadow, g.Candidate}[:n] {
		i := slices.IndexFunc(c.members, func(d *proc.Daemon) bool { return d.ID == id })
		if i < 0 {
			c.T.Fatalf("the chain is %s, %s, %s", g.Hub, g.Shadow, g.Candidate)
		}
		list = append(list, c.members[i])
	}
	return list, g
}

// without are the members but for some.
func (p *party) without(some []*proc.Daemon) []*proc.Daemon {
	return slices.DeleteFunc(slices.Clone(p.members), func(d *proc.Daemon) bool { return slices.Contains(some, d) })
}

// bring starts a dead daemon again.
func (c *chat) bring(d *proc.Daemon, idle bool) {
	c.T.Helper()
	back, err := d.Again(c.T.Context())
	c.Check(err)
	c.members[slices.Index(c.members, d)] = back
	if !idle {
		c.begin(back)
	}
}

// agree waits until all follow one hub.
func (p *party) agree() {
	p.T.Helper()
	p.eventually(func() (string, bool) {
		var all []string
		for _, d := range p.members {
			g, err := d.Client.Group(p.T.Context(), p.group)
			p.Check(err)
			all = append(all, fmt.Sprint(g.Term, " ", g.Hub))
		}
		return strings.Join(all, ", "), len(slices.Compact(slices.Clone(all))) == 1
	})
}

// beat sets how often the hub beats.
func (p *party) beat(every time.Duration) {
	p.T.Helper()
	if every == half {
		return
	}
	ms := uint64(every / time.Millisecond)
	_, err := p.members[0].Client.ChangeGroup(p.T.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeSettings, BeatMS: &ms})
	p.Check(err)
	for _, d := range p.members {
		p.eventually(func() (string, bool) {
			g, err := d.Client.Group(p.T.Context(), p.group)
			p.Check(err)
			return fmt.Sprintf("%s has beats of %d ms", d.Name, g.BeatMS), g.BeatMS == ms
		})
	}
}

// holdsAll checks that every member's log is the same, and has what was accepted
// once.
func (c *chat) holdsAll() {
	c.T.Helper()
	c.eventually(func() (string, bool) { // who wrote may be told a moment before anybody is shown it
		log := c.log(c.members[0])
		i := slices.IndexFunc(c.accepted, func(a accepted) bool {
			return !slices.ContainsFunc(log, func(r localapi.GroupRecord) bool { return r.ID == a.id })
		})
		if i < 0 {
			return "", true
		}
		return fmt.Sprintf("%s was accepted in term %d and is not in the log", c.accepted[i].id, c.accepted[i].term), false
	})
	log := c.sameLogs(c.members, len(c.accepted))
	ids, texts := make(map[string]int), make(map[string]int)
	for i, r := range log {
		ids[r.ID]++
		if r.Seq != uint64(i+1) {
			c.T.Fatalf("record %d has the seq %d", i+1, r.Seq)
		}
		if r.Kind == "message" && r.Body != "" {
			texts[r.Body]++
		}
	}
	for _, a := range c.accepted {
		if ids[a.id] != 1 {
			c.T.Errorf("%s was accepted in term %d and is in the log %d times", a.id, a.term, ids[a.id])
		}
	}
	for text, n := range texts {
		if n != 1 {
			c.T.Errorf("%q is in the log %d times", text, n)
		}
	}
}

// lines are the table's, printed when all tests are over.
var lines struct {
	mu  sync.Mutex
	all []string
}

func note(format string, a ...any) {
	lines.mu.Lock()
	defer lines.mu.Unlock()
	lines.all = append(lines.all, fmt.Sprintf(format, a...))
}

// table is what was noted.
func table() string {
	lines.mu.Lock()
	defer lines.mu.Unlock()
	if len(lines.all) == 0 {
		return ""
	}
	slices.Sort(lines.all)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "killed\tmembers\tbeats\ttimes\tshortest\tp50\tp99\taccepted\t")
	for _, line := range lines.all {
		fmt.Fprintln(w, line)
	}
	_ = w.Flush()
	return b.String()
}
