package natlab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

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
	lines := make([]string, len(accidents))
	t.Run("accidents", func(t *testing.T) {
		for i, a := range accidents {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				lines[i] = a.happen(t)
			})
		}
	})
	report(gaps(lines))
}

// happen returns a line of the table.
func (a accident) happen(t *testing.T) string {
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
	s := stream{from: f.alice, to: f.bob}
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
	s.judge(t)
	return fmt.Sprintf("%s\t%d\t%v\tafter %d", a.name, len(s.arrived), s.gap.Round(time.Millisecond), s.gapAt)
}

// killRelay kills the node that alice's connection to bob goes through.
func (f flight) killRelay(ctx context.Context) error {
	peers, err := f.alice.Client.Peers(ctx)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if relay := f.relayOf(p); p.ID == f.bob.ID && relay != nil {
			relay.kill()
			return nil
		}
	}
	return fmt.Errorf("no connection to bob goes through a relay: %+v", peers)
}

func (f flight) relayOf(p localapi.Peer) *party {
	for _, public := range f.publics {
		if strings.Contains(p.Addr, public.ID) {
			return public
		}
	}
	return nil
}

func gaps(lines []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what happens to a stream\tmessages\tlongest gap\t")
	for _, line := range lines {
		if line != "" {
			fmt.Fprintln(w, line)
		}
	}
	_ = w.Flush()
	return b.String()
}
