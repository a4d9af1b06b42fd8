package groups

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

var (
	rounds = flag.Int("groups.kills", 2, "how often the hub is killed while all write")
	size   = flag.Int("groups.members", 6, "how many write")
)

// accepted is a message that its author was told is in the log.
type accepted struct {
	id   string
	term uint64
	at   time.Time
}

// book is what all authors were told.
type book struct {
	mu  sync.Mutex
	all []accepted
}

func (b *book) note(a accepted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, a)
}

// after is the first that was accepted in a term above one, since a time.
func (b *book) after(at time.Time, term uint64) (accepted, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.all {
		if a.at.After(at) && a.term > term {
			return a, true
		}
	}
	return accepted{}, false
}

// chatter has a daemon write twice a second until ctx ends, which for one that is
// killed is soon after.
func (p *party) chatter(ctx context.Context, b *book, d *proc.Daemon) {
	for n := 0; ctx.Err() == nil; n++ {
		content := localapi.NewContent(localapi.DefaultType, fmt.Appendf(nil, "%s %d", d.Name, n))
		sent, err := d.Client.SendToGroup(ctx, p.group, content)
		if err != nil {
			return
		}
		for sent.State == localapi.GroupQueued && ctx.Err() == nil {
			if sent, err = d.Client.WaitGroup(ctx, p.group, sent.ID, localapi.GroupAccepted, time.Minute); err != nil {
				return
			}
		}
		if sent.State == localapi.GroupRefused {
			p.t.Errorf("%s: refused: %s", d.Name, sent.Reason)
			return
		}
		b.note(accepted{sent.ID, sent.Term, time.Now()})
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// All write, and the hub is killed again and again. What an author was told is in
// the log is there in the end, with every member, once and in one order.
func TestNothingAcceptedIsLostWhenHubsAreKilled(t *testing.T) {
	names := make([]string, *size)
	for i := range names {
		names[i] = fmt.Sprint("m", i)
	}
	p := newParty(t, names...)
	b, ctx, cancel := new(book), t.Context(), context.CancelFunc(nil)
	ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	var writing sync.WaitGroup
	for _, d := range p.members {
		writing.Go(func() { p.chatter(ctx, b, d) })
	}
	var took []time.Duration
	for round := range *rounds {
		took = append(took, p.killHub(ctx, b, &writing, round))
	}
	cancel()
	writing.Wait()
	slices.Sort(took)
	t.Logf("%d members, %d kills: p50 %s, longest %s: %s", *size, *rounds, took[len(took)/2], took[len(took)-1], took)
	p.holdsAll(b)
}

// killHub kills the hub, waits for the first message that another one accepts,
// and starts the dead one again.
func (p *party) killHub(ctx context.Context, b *book, writing *sync.WaitGroup, round int) time.Duration {
	p.t.Helper()
	watcher := p.members[round%len(p.members)]
	p.chained(watcher)
	time.Sleep(time.Duration(1000+137*round%500) * time.Millisecond) // somewhere between two beats
	hub := p.hub(watcher)
	g, err := watcher.Client.Group(ctx, p.group)
	p.check(err)
	killed := time.Now()
	hub.Kill()
	var first accepted
	p.eventually(func() (string, bool) {
		var ok bool
		first, ok = b.after(killed, g.Term)
		return fmt.Sprintf("nothing was accepted after %s was killed", hub.Name), ok
	})
	back, err := hub.Again(ctx)
	p.check(err)
	p.members[slices.Index(p.members, hub)] = back
	writing.Go(func() { p.chatter(ctx, b, back) })
	return first.at.Sub(killed).Round(time.Millisecond)
}

// holdsAll checks that every member's log has what was accepted, once.
func (p *party) holdsAll(b *book) {
	p.t.Helper()
	log := p.sameLogs(p.members, len(b.all))
	count := make(map[string]int)
	for _, r := range log {
		count[r.ID]++
	}
	var wrong []string
	for _, a := range b.all {
		if count[a.id] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %d times", a.id, count[a.id]))
		}
	}
	if len(wrong) > 0 {
		p.t.Errorf("of %d accepted: %s", len(b.all), strings.Join(wrong, ", "))
	}
	p.t.Logf("%d accepted, %d in every log", len(b.all), len(log))
}
