package stress

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/cmd/tomd/stress"
	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

func TestBothEndsAreCounted(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	listen(t, m, bob.Name)
	o := play(t, m, alice.Name, "ping", "--to", bob.Link, "--duration", "2s")
	o.wantPass(t, "ping")
	p := o.phases["ping"]
	if c := p.Counts; c.Accepted < 10 || c.Received != c.Accepted || c.Delivered != c.Accepted {
		t.Errorf("%+v", c)
	}
	if l := p.Latency; int(l.Count) != p.Counts.Delivered || l.Min <= 0 || l.P50 > l.P99 || l.P99 > l.Max {
		t.Errorf("%+v", l)
	}
	if p.Ways["direct"] != p.Asked || p.Asked == 0 {
		t.Errorf("of %d went %v", p.Asked, p.Ways)
	}
}

// Nothing is sent that a listener cannot count because it has not begun yet.
func TestAListenerThatComesLateMissesNothing(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	running, end := context.WithCancelCause(t.Context())
	var r proc.Result
	go func() {
		var err error
		r, err = m.Run(t.Context(), alice.Name, "", "stress", "ping", "--to", bob.Link, "--duration", "2s", "--patience", "20s")
		end(err)
	}()
	for e, err := range alice.Client.Events(running, 0) {
		if err != nil {
			t.Fatalf("nothing was delivered: %v, %v", err, context.Cause(running))
		}
		if e.State == localapi.Delivered {
			break
		}
	}
	listen(t, m, bob.Name)
	<-running.Done()
	if err := context.Cause(running); err != context.Canceled {
		t.Fatal(err)
	}
	o, err := read(r)
	if err != nil {
		t.Fatal(err)
	}
	o.wantPass(t, "ping")
	if c := o.phases["ping"].Counts; c.Received != c.Accepted || c.Received == 0 {
		t.Errorf("%+v", c)
	}
}

// Where nobody listens nothing is sent, and the tool says why.
func TestWithoutAListenerNothingIsSent(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	o := play(t, m, alice.Name, "ping", "--to", bob.Link, "--duration", "2s", "--patience", "1s")
	if c := o.phases["ping"].Counts; o.Code != 1 || o.pass || c.Sent != 0 || !strings.Contains(o.Out, "no listener has answered") {
		t.Errorf("it exits with %d: %+v: %s", o.Code, c, o.Out)
	}
}

// A recipient that is away for longer than messages live loses them, and the
// tool says so.
func TestWhatIsLostIsTold(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	listen(t, m, bob.Name)
	ended := make(chan error, 1)
	go func() { ended <- awayUntilExpired(t.Context(), alice, bob) }()
	o := play(t, m, alice.Name, "endurance", "--to", bob.Link, "--duration", "8s", "--rate", "20", "--lifetime", "1s", "--patience", "20s")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	c := o.phases["endurance"].Counts
	if o.Code != 1 || o.pass || len(o.failed) != 1 {
		t.Errorf("it exits with %d and says %q has failed: %+v", o.Code, o.failed, c)
	}
	// One that was signed for just before the kill has ended, too, when the listener
	// can look again.
	if c.Lost == 0 || c.Lost != c.Accepted-c.Received || c.Ended+c.Untrue < c.Lost || c.Received == 0 {
		t.Errorf("%+v", c)
	}
	t.Logf("of %d messages %d were lost, and it said so", c.Accepted, c.Lost)
}

// awayUntilExpired kills bob when his listener has answered, and something has come
// to him; and starts him again when a message to him has expired.
func awayUntilExpired(ctx context.Context, alice, bob *proc.Daemon) error {
	answered := false
	for e, err := range alice.Client.Events(ctx, 0) {
		switch {
		case err != nil:
			return err
		case e.Kind == localapi.EventReceived:
			answered = true
		case answered && e.State == localapi.Delivered:
			bob.Kill() // dead already is as good
		case e.State == localapi.Expired:
			_, err := bob.Again(ctx)
			return err
		}
	}
	return ctx.Err()
}

// A listener that does not have everything is believed, against the sender's
// receipts: this one forgets each fiftieth message.
func TestAListenerThatLacksSomethingIsBelieved(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	ctx, cancel := context.WithCancel(t.Context())
	forgetful := make(chan error, 1)
	go func() { forgetful <- forget(ctx, bob) }()
	o := play(t, m, alice.Name, "ping", "--to", bob.Link, "--duration", "3s", "--patience", "3s")
	cancel()
	if err := <-forgetful; err != nil {
		t.Error(err)
	}
	c := o.phases["ping"].Counts
	if o.Code != 1 || o.pass || c.Lost == 0 || c.Untrue != c.Lost || c.Delivered != c.Accepted {
		t.Errorf("it exits with %d: %+v", o.Code, c)
	}
}

// forget listens as tomd stress listen does, but for each fiftieth message.
func forget(ctx context.Context, d *proc.Daemon) error {
	var c stress.Counts
	for e, err := range d.Client.Events(ctx, 0) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Kind != localapi.EventReceived {
			continue
		}
		if p, _, err := stress.ParseProbe(e.Message.Content); err == nil {
			c.Run, c.From, c.To = p.Run, p.From, p.To
			if p.N%50 != 0 {
				c.Received++
				c.Spans = append(c.Spans, [2]int{p.N, p.N})
			}
			continue
		}
		var ask stress.Ask
		body, err := e.Message.Bytes()
		if err == nil {
			err = json.Unmarshal(body, &ask)
		}
		if err != nil {
			return err
		}
		c.Run = ask.Run
		if body, err = json.Marshal(c); err != nil {
			return err
		}
		if _, err := d.Client.Send(ctx, localapi.Outgoing{To: e.Peer, Content: localapi.NewContent(stress.CountsType, body)}); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// Against a listener what would end processes is left out, and told to be.
func TestACampaignAgainstAListener(t *testing.T) {
	t.Parallel()
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	listen(t, m, bob.Name)
	o := play(t, m, alice.Name, "campaign", "--to", bob.Link, "--duration", "12s")
	o.wantPass(t, "ping", "burst", "ladder", "e2e", "endurance")
	if len(o.phases)-len(o.notRun) != 5 || len(o.notRun) == 0 {
		t.Errorf("of %d phases %q were left out", len(o.phases), o.notRun)
	}
}
