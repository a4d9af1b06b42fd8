package natlab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// accident is something that happens while messages stream from alice to bob.
type accident struct {
	name  string
	sites []site
	// direct says that they have a direct connection before the stream begins;
	// otherwise the stream is all they ever sent each other.
	direct bool
	hit    func(context.Context, flight) error // what happens; nil: nothing but the move to a direct path
}

// flight is a stream that something happens to.
type flight struct {
	homes      town
	alice, bob *party
	publics    []*party
}

var accidents = []accident{
	{name: "the path moves from relay to direct", sites: []site{behind(cone, alice), behind(cone, bob)}},
	{
		name: "the recipient's router forgets", direct: true,
		sites: []site{behind(cone, alice), behind(cone, bob).called("router")},
		hit:   func(_ context.Context, f flight) error { return f.homes.site("router").forget() },
	},
	{
		name: "the sender changes its uplink", direct: true,
		sites: []site{behind(cone, alice), behind(cone, bob), behind(cone).called("other")},
		hit:   func(_ context.Context, f flight) error { return f.homes.site("alice").moveTo(f.homes.site("other")) },
	},
	{
		name: "the recipient changes its uplink", direct: true,
		sites: []site{behind(cone, alice), behind(cone, bob), behind(cone).called("other")},
		hit:   func(_ context.Context, f flight) error { return f.homes.site("bob").moveTo(f.homes.site("other")) },
	},
	{
		name:  "the relay dies",
		sites: []site{behind(symmetric, alice), behind(symmetric, bob)},
		hit:   func(ctx context.Context, f flight) error { return f.killRelay(ctx) },
	},
}

func TestNothingIsLostInFlight(t *testing.T) {
	t.Parallel()
	flights := make([][]*stream, len(accidents))
	t.Run("accidents", func(t *testing.T) {
		for i, a := range accidents {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				flights[i] = a.happenAgain(t)
				judgeGaps(t, flights[i])
			})
		}
	})
	report(gaps(flights))
}

// mostFlights is how often an accident happens at most.
const mostFlights = 3

// happenAgain has an accident happen, and once or twice more if the gap is above
// the goal: a gap is time alone, and the machine may have stood still. What is lost
// once, or there twice, is a fault whatever comes after.
func (a accident) happenAgain(t *testing.T) (flights []*stream) {
	for len(flights) == 0 || middle(gapsOf(flights)) > gapGoal && len(flights) < mostFlights {
		t.Run(strconv.Itoa(len(flights)+1), func(t *testing.T) {
			s := a.happen(t)
			s.judge(t)
			flights = append(flights, s)
		})
		if t.Failed() {
			break
		}
	}
	return flights
}

// gapsOf are the longest gaps, sorted.
func gapsOf(flights []*stream) (all []time.Duration) {
	for _, s := range flights {
		all = append(all, s.gap)
	}
	slices.Sort(all)
	return all
}

func judgeGaps(t *testing.T, flights []*stream) {
	t.Helper()
	if gap := middle(gapsOf(flights)); gap > gapGoal {
		t.Errorf("nothing arrived for %v, the median of %v", gap, gapsOf(flights))
	}
}

// happen returns the stream that it happened to.
func (a accident) happen(t *testing.T) *stream {
	l := newLab(t)
	f := flight{publics: l.startPublics(t, "p1", "p2", "p3")}
	f.homes = l.add(t, a.sites...)
	f.alice, f.bob = l.start(t, f.homes.site("alice")), l.start(t, f.homes.site("bob"))
	f.alice.ready(t)
	f.bob.ready(t)
	f.alice.settle(t)
	f.bob.settle(t)
	if a.direct {
		if m := meet(t, f.alice, f.bob, watchDirect); !m.direct {
			t.Fatalf("no direct connection to begin with: %+v", m)
		}
	}
	w := f.alice.watch(t, f.bob.ID)
	s := &stream{from: f.alice, to: f.bob}
	if a.hit != nil {
		s.hit = func(ctx context.Context) error { return a.hit(ctx, f) }
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatalf("%v; longest gap %v after %d", err, s.gap, s.gapAt)
	}
	seen := w.end()
	if a.hit == nil && (seen.relayed.IsZero() || !seen.direct.After(seen.relayed) || seen.direct.After(s.last)) {
		t.Errorf("the path did not move while messages were on their way: relayed at %v, direct at %v, last message at %v", seen.relayed, seen.direct, s.last)
	}
	return s
}

// killRelay kills the node that alice's connection to bob goes through, as soon as
// there is one: at first relays pass on message by message.
func (f flight) killRelay(ctx context.Context) error {
	_, err := proc.Until(ctx, circuitTime, func() string {
		peers, err := f.alice.Client.Peers(ctx)
		if err != nil {
			return err.Error()
		}
		for _, p := range peers {
			if relay := f.relayOf(p); p.ID == f.bob.ID && relay != nil {
				relay.kill()
				return ""
			}
		}
		return fmt.Sprintf("no connection to bob goes through a relay: %+v", peers)
	})
	return err
}

// circuitTime is how long two seconds of messages may have to wait for a circuit.
const circuitTime = 5 * time.Second

func (f flight) relayOf(p localapi.Peer) *party {
	for _, public := range f.publics {
		if strings.Contains(p.Addr, public.ID) {
			return public
		}
	}
	return nil
}

// gaps is the table, with the worst of each accident.
func gaps(flights [][]*stream) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what happens to a stream\tmessages\tlongest gap\t\ttimes")
	for i, streams := range flights {
		if len(streams) == 0 {
			continue
		}
		s := slices.MaxFunc(streams, func(x, y *stream) int { return cmp.Compare(x.gap, y.gap) })
		fmt.Fprintf(w, "%s\t%d\t%v\tafter %d\t%d\n", accidents[i].name, len(s.arrived), s.gap.Round(time.Millisecond), s.gapAt, len(streams))
	}
	_ = w.Flush()
	return b.String()
}
