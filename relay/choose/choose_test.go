package choose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func key(name byte) protocols.Key { return protocols.Key{name} }

// relay makes a candidate in a network of its own.
func relay(name byte, change ...func(*Candidate)) Candidate {
	c := Candidate{Peer: key(name), Networks: []Network{Network(name)}, Connected: true, Offers: true, RTT: 50 * time.Millisecond}
	for _, f := range change {
		f(&c)
	}
	return c
}

func contact(c *Candidate)                 { c.Contact = true }
func loaded(c *Candidate)                  { c.Load = 200 }
func in(n Network) func(*Candidate)        { return func(c *Candidate) { c.Networks = []Network{n} } }
func rtt(d time.Duration) func(*Candidate) { return func(c *Candidate) { c.RTT = d } }

func failed(ago time.Duration, streak int) func(*Candidate) {
	return func(c *Candidate) {
		c.Record.Streak, c.Record.FailedAt, c.Record.Silent = streak, now.Add(-ago), float64(streak)
	}
}

func worked(n float64) func(*Candidate) {
	return func(c *Candidate) { c.Record.Success, c.Record.Proved = n, n }
}

func order(ranked []Ranked) string {
	var b strings.Builder
	for _, r := range ranked {
		b.WriteByte(r.Peer[0])
	}
	return b.String()
}

func TestRank(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		candidates []Candidate
		want       string
	}{
		"nothing known: any order that stays": {[]Candidate{relay('b'), relay('a')}, "ab"},
		"success":                             {[]Candidate{relay('a'), relay('b', worked(5))}, "ba"},
		"latency":                             {[]Candidate{relay('a', rtt(time.Second)), relay('b')}, "ba"},
		"load":                                {[]Candidate{relay('a', loaded), relay('b')}, "ba"},
		"a contact, though slow and loaded":   {[]Candidate{relay('a', worked(9)), relay('b', contact, loaded, rtt(time.Second))}, "ba"},
		"one failure is enough":               {[]Candidate{relay('a', contact, worked(9), failed(time.Second, 1)), relay('b', loaded)}, "ba"},
		"it comes back after a pause":         {[]Candidate{relay('a', contact, failed(6*time.Second, 1)), relay('b')}, "ab"},
		"and later after many":                {[]Candidate{relay('a', contact, failed(6*time.Second, 3)), relay('b')}, "ba"},
		"but within ten minutes":              {[]Candidate{relay('a', contact, failed(10*time.Minute, 64)), relay('b')}, "ab"},
		"where it just was not the better":    {[]Candidate{relay('a', failed(6*time.Second, 1)), relay('b')}, "ba"},
		"one of each network first": {[]Candidate{
			relay('a', in("x"), worked(9)), relay('b', in("x"), worked(9)), relay('c', in("y")), relay('d', in("y")), relay('e'),
		}, "acebd"},
		"two contacts in one house": {[]Candidate{relay('a', contact, in("x")), relay('b', contact, in("x")), relay('c')}, "acb"},
		"addresses that say nothing": {[]Candidate{
			relay('a', func(c *Candidate) { c.Networks = nil }), relay('b', func(c *Candidate) { c.Networks = nil }), relay('c', loaded),
		}, "abc"},
	} {
		if got := order(Rank(now, c.candidates)); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestReasonsSayWhy(t *testing.T) {
	t.Parallel()
	ranked := Rank(now, []Candidate{
		relay('a', contact, in("x")), relay('b', in("x"), loaded), relay('c', failed(2*time.Second, 1)), relay('d', failed(7*time.Second, 1)),
	})
	for i, want := range []string{
		"success 0.50, latency 50ms, load 0.00, a contact",
		"success 0.33, latency 50ms, load 0.00, coming back after a failure",
		"success 0.50, latency 50ms, load 0.78, in one network with a better one",
		"success 0.33, latency 50ms, load 0.00, failed 2s ago",
	} {
		if got := strings.Join(ranked[i].Reasons, ", "); got != want {
			t.Errorf("%s: %s", order(ranked[i:i+1]), got)
		}
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	v6 := func(b ...byte) []byte { return append(b, make([]byte, 16-len(b))...) }
	if NetworkOf([]byte{10, 1, 2, 3}) != NetworkOf([]byte{10, 1, 2, 200}) || NetworkOf([]byte{10, 1, 2, 3}) == NetworkOf([]byte{10, 1, 3, 3}) {
		t.Error("a /24 is not a network")
	}
	if NetworkOf(v6(32, 1, 1, 2, 3, 4, 5)) != NetworkOf(v6(32, 1, 1, 2, 3, 4, 9)) || NetworkOf(v6(32, 1, 1, 2, 3, 4)) == NetworkOf(v6(32, 1, 1, 2, 3, 5)) {
		t.Error("a /48 is not a network")
	}
	loopback := append(make([]byte, 15), 1)
	for _, ip := range [][]byte{{127, 0, 0, 1}, loopback, nil, {1, 2, 3}} {
		if n := NetworkOf(ip); n != "" {
			t.Errorf("%v is in network %q", ip, n)
		}
	}
}

// sketch draws a map: own neighbours, who is behind whom ("B:RS" is B behind R
// and S), who can be dialled, and who is barred, alone (lower case) or at all.
type sketch struct{ own, behind, direct, barred string }

func (s sketch) of() Map {
	m := Map{
		Me: key('A'), To: key('B'),
		Behind: func(k protocols.Key) (all []protocols.Key) {
			for _, part := range strings.Fields(s.behind) {
				if part[0] == k[0] {
					for _, r := range []byte(part[2:]) {
						all = append(all, key(r))
					}
				}
			}
			return all
		},
		Look:   func(k protocols.Key) Candidate { return relay(k[0]) },
		Direct: func(k protocols.Key) bool { return strings.IndexByte(s.direct+s.own, k[0]) >= 0 },
		Barred: func(k protocols.Key, alone bool) bool {
			return strings.IndexByte(s.barred, k[0]) >= 0 || alone && strings.IndexByte(s.barred, k[0]+'a'-'A') >= 0
		},
	}
	for _, k := range []byte(s.own) {
		m.Own = append(m.Own, relay(k))
	}
	return m
}

func text(routes []delivery.Route) string {
	var words []string
	for _, r := range routes {
		var w strings.Builder
		for _, k := range r {
			w.WriteByte(k[0])
		}
		words = append(words, w.String())
	}
	return strings.Join(words, " ")
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sketch
		want string
	}{
		"nobody is known":                               {sketch{}, ""},
		"the recipient's relay can be dialled":          {sketch{behind: "B:R", direct: "R"}, "R"},
		"it cannot, and we have a relay":                {sketch{own: "S", behind: "B:R"}, "S SR"},
		"it can, and we have a relay":                   {sketch{own: "S", behind: "B:R", direct: "R"}, "R S SR"},
		"nothing is known of the recipient":             {sketch{own: "RSTUV"}, "R S T U"},
		"the relay of both":                             {sketch{own: "R", behind: "B:R"}, "R"},
		"its relay is behind another":                   {sketch{behind: "B:R R:S", direct: "S"}, "SR"},
		"known before joined":                           {sketch{own: "T", behind: "B:R R:S", direct: "S"}, "T SR TR"},
		"three":                                         {sketch{behind: "B:R R:S S:T", direct: "T"}, "TSR"},
		"four":                                          {sketch{behind: "B:R R:S S:T T:U", direct: "U"}, "UTSR"},
		"five are too many":                             {sketch{behind: "B:R R:S S:T T:U U:V", direct: "V"}, ""},
		"a ring":                                        {sketch{behind: "B:R R:S S:R"}, ""},
		"we are the recipient's relay":                  {sketch{own: "S", behind: "B:A"}, "S"},
		"the recipient is among our own, and goes away": {sketch{own: "BS"}, "S"},
		"a relay knows no way, alone":                   {sketch{own: "S", behind: "B:R", barred: "s"}, "SR"},
		"nor in a chain":                                {sketch{own: "ST", behind: "B:R", barred: "S"}, "T TR"},
		"guesses do not crowd out what is known":        {sketch{own: "STUV", behind: "B:R"}, "S T SR TR"},
	} {
		if got := text(Routes(now, c.of())); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

func TestDroppedRelayIsAskedOnlyWhereThereIsNoOther(t *testing.T) {
	t.Parallel()
	m := sketch{}.of()
	m.Own = []Candidate{relay('R', failed(time.Second, 1)), relay('S')}
	if got := text(Routes(now, m)); got != "S" {
		t.Errorf("routes %q", got)
	}
	m.Own = m.Own[:1]
	if got := text(Routes(now, m)); got != "R" {
		t.Errorf("with no other: %q", got)
	}
}

// Whatever is said of who is behind whom, each route is one that a relay chain
// takes: short, without repeats, without the two ends, and begins where we can.
func TestRoutesAreSound(t *testing.T) {
	t.Parallel()
	const all = "ABRSTUVW"
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.StringOfN(rapid.SampledFrom([]rune(all)), 0, 6, -1)
		s := sketch{own: some.Draw(t, "own"), direct: some.Draw(t, "direct"), barred: some.Draw(t, "barred")}
		for _, k := range all {
			s.behind += string(k) + ":" + some.Draw(t, "behind") + " "
		}
		routes := Routes(now, s.of())
		if len(routes) > MaxRoutes {
			t.Fatalf("%d routes", len(routes))
		}
		for i, r := range routes {
			if len(r) == 0 || len(r) > envelope.MaxHops || slices.Contains(r, key('A')) || slices.Contains(r, key('B')) {
				t.Fatalf("route %q", text(routes[i:i+1]))
			}
			if strings.IndexByte(s.own+s.direct, r[0][0]) < 0 || strings.IndexByte(s.barred, r[0][0]) >= 0 {
				t.Fatalf("route %q begins where it cannot", text(routes[i:i+1]))
			}
			for j, k := range r {
				if slices.Contains(r[:j], k) {
					t.Fatalf("route %q goes in a circle", text(routes[i:i+1]))
				}
			}
		}
	})
}
