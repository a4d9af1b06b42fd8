package stress

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// What a listener keeps and tells, at most: anybody can send to it.
const (
	maxRuns     = 64     // of which the oldest is dropped
	maxSpans    = 10_000 // of one run; what would make more is not counted
	spansTold   = 4000   // of one run, in an answer
	answersLine = 16     // answers that wait to be accepted; more are not given
)

// tallies are what a listener has counted, by run.
type tallies struct {
	runs  map[string]*Counts
	order []string
}

// heard counts a message of a run.
func (t *tallies) heard(from string, p Probe, whole bool) {
	run := from + "/" + p.Run
	c := t.runs[run]
	if c == nil {
		if len(t.order) == maxRuns {
			delete(t.runs, t.order[0])
			t.order = t.order[1:]
		}
		c = &Counts{Run: p.Run, From: p.From, To: p.To}
		t.runs[run] = c
		t.order = append(t.order, run)
	}
	if len(c.Spans) >= maxSpans {
		c.Cut = true
		return
	}
	if !(*spans)(&c.Spans).add(p.N) {
		c.Twice++
		return
	}
	c.Received++
	if !whole {
		c.Spoiled++
	}
}

// told is the answer about a run of whoever asks.
func (t *tallies) told(from, run string) Counts {
	c := t.runs[from+"/"+run]
	if c == nil {
		return Counts{Run: run}
	}
	told := *c
	if len(told.Spans) > spansTold {
		told.Spans, told.Cut = told.Spans[:spansTold], true
	}
	return told
}

// listener is tomd stress listen: it counts and answers.
type listener struct {
	client  *localapi.Client
	out     io.Writer
	tallies tallies
	answers chan localapi.Outgoing
}

func newListener(client *localapi.Client, out io.Writer) *listener {
	return &listener{
		client: client, out: out,
		tallies: tallies{runs: map[string]*Counts{}}, answers: make(chan localapi.Outgoing, answersLine),
	}
}

// Listen counts what comes to a daemon, over its restarts, and tells whoever
// asks what it has counted of theirs, until ctx ends. It begins with what comes
// from now on.
func Listen(ctx context.Context, client *localapi.Client, out, err io.Writer) error {
	id, failed := client.Identity(ctx)
	if failed != nil {
		return failed
	}
	talks, failed := client.Talks(ctx)
	if failed != nil {
		return failed
	}
	fmt.Fprintf(err, "listening; on the other machine: tomd stress campaign --to '%s'\n", id.Link)
	l := newListener(client, out)
	var answering sync.WaitGroup
	answering.Go(func() { l.answer(ctx) })
	follow(ctx, client, talks.Cursor, l.noticed)
	answering.Wait()
	return nil
}

// noticed is an event of the daemon. Answers are sent by another goroutine: they
// may have to wait for the daemon, and counting must not.
func (l *listener) noticed(e localapi.Event) {
	if e.Kind != localapi.EventReceived || e.Message == nil {
		return
	}
	if p, whole, err := ParseProbe(e.Message.Content); err == nil {
		l.tallies.heard(e.Peer, p, whole)
		return
	}
	body, err := e.Message.Bytes()
	var ask Ask
	if e.Message.Type != AskType || err != nil || json.Unmarshal(body, &ask) != nil {
		return
	}
	counts := l.tallies.told(e.Peer, ask.Run)
	text, _ := json.Marshal(counts) // strings and numbers
	select {
	case l.answers <- localapi.Outgoing{To: e.Peer, Content: localapi.NewContent(CountsType, text), LifetimeS: 3600}:
		counts.Spans = nil
		_ = json.NewEncoder(l.out).Encode(counts) // a reader that has gone has nobody to be told
	default: // who asks too often is not answered
	}
}

func (l *listener) answer(ctx context.Context) {
	for {
		select {
		case m := <-l.answers:
			l.deliver(ctx, m)
		case <-ctx.Done():
			return
		}
	}
}

// deliver tries for as long as the daemon is away.
func (l *listener) deliver(ctx context.Context, m localapi.Outgoing) {
	for ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, answerTime)
		_, err := l.client.Send(short, m)
		cancel()
		if err == nil || !retry(err) {
			return
		}
		pause(ctx, time.Second)
	}
}
