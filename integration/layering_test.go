package integration

import (
	"strings"
	"testing"
)

const module = "github.com/tom-protocol/tom"

// A pure package gets time and input and returns effects, so that it can be
// tested by table, run under a virtual clock, and replayed from a seed.
var pure = []string{
	"protocols", "protocols/proof", "protocols/envelope", "protocols/message", "protocols/prekeys", "protocols/ack",
	"protocols/heartbeat", "protocols/presence", "protocols/backup", "protocols/delivery", "protocols/internal/...",
	"groups/wire", "groups/roster", "groups/hub", "groups/member", "groups/failover", "groups/senderkey",
	"groups/journal", "groups/ledger", "groups/seat",
	"relay/route", "relay/choose", "relay/role", "relay/reputation", "relay/fair",
}

var libp2p = []string{"github.com/libp2p/...", "github.com/multiformats/...", "github.com/quic-go/...", "github.com/pion/..."}

// rules say which imports must never be. Patterns are package paths, those of
// this module without its name; "/..." takes in what is below.
var rules = []rule{
	{
		in: []string{"protocols/..."}, never: []string{"node/...", "groups/...", "relay/...", "cmd/..."},
		why: "protocols are what others implement too: they must stand without our node",
	},
	{
		in: []string{"groups/..."}, never: []string{"relay/...", "node/..."},
		why: "a group works the same whatever path its envelopes take",
	},
	{
		in: []string{"relay/..."}, never: []string{"groups/...", "node/..."},
		why: "a relay treats every envelope alike, whatever it carries",
	},
	{
		in: []string{"node/..."}, except: []string{"node"}, never: []string{"node"},
		why: "node puts the parts together; a part that knew it could not be tested alone",
	},
	{
		in: []string{"node/..."}, never: []string{"cmd/...", "integration/..."},
		why: "the SDK must not drag the command line or the tests into other programs",
	},
	{
		in: []string{"groups/...", "relay/..."}, never: []string{"cmd/...", "integration/..."},
		why: "arrows point inwards",
	},
	{
		in: pure, never: libp2p,
		why: "a pure package sees bytes and keys, not hosts and streams",
	},
	{
		in: []string{"protocols/stream/..."}, never: libp2p,
		why: "streams are tested over pipes, so the protocol sees an opener and not a host",
	},
	{
		in: pure, except: testTwins, direct: true,
		never: []string{"os/...", "net/...", "log/...", "syscall/...", "io/ioutil", "github.com/ipfs/go-log/...", "github.com/prometheus/..."},
		why:   "a pure package neither looks at the world nor tells about it",
	},
	{
		in: []string{"node/localapi/..."}, never: append([]string{"node", "node/store/...", "node/identity/..."}, libp2p...),
		why: "a program that talks to the daemon must not link a network stack and a database",
	},
	{
		in: []string{"cmd/tomd/stress/..."}, never: append([]string{"node", "node/store/...", "node/identity/...", "groups/...", "relay/...", "protocols/..."}, libp2p...),
		why: "what is counted must not come from the code that is tried: it sees daemons through their local interface alone",
	},
	{
		in: []string{"node/store/..."}, never: append([]string{"node/links/...", "node/host/..."}, libp2p...),
		why: "the store is opened and tested without any network",
	},
	{
		in: []string{"cmd/...", "node/...", "groups/...", "relay/...", "protocols/..."}, except: testTwins,
		never: []string{"pgregory.net/rapid/...", "github.com/marcopolo/simnet/...", "github.com/stretchr/testify/...", "github.com/nats-io/..."},
		why:   "what only tests and benchmarks need does not belong into the binary",
	},
	{ // kad-dht brings the standard library's testing along, for options of its own tests
		in: []string{"cmd/...", "node/...", "groups/...", "relay/...", "protocols/..."}, except: testTwins, direct: true,
		never: []string{"testing/..."},
		why:   "what only tests need does not belong into the binary",
	},
}

// testTwins are packages that only tests import, those of other packages too.
var testTwins = []string{
	"protocols/internal/golden/...", "protocols/stream/streamtest/...", "node/store/kv/kvtest/...", "groups/groupstest/...",
}

func TestImportsPointInwards(t *testing.T) {
	t.Parallel()
	all := loadPackages(t)
	for _, r := range rules {
		for _, broken := range r.check(all) {
			t.Errorf("%s\n\tbecause %s", broken, r.why)
		}
	}
}

// forbiddenCalls are what a pure package must not call, by import path.
var forbiddenCalls = map[string]string{"time": "Now Since Until After AfterFunc NewTimer NewTicker Tick Sleep"}

func TestPurePackagesReadNoClock(t *testing.T) {
	t.Parallel()
	for _, p := range loadPackages(t) {
		if !p.matches(pure) {
			continue
		}
		for _, use := range p.uses(t, forbiddenCalls) {
			t.Errorf("%s\n\tbecause a pure package gets the time from its caller", use)
		}
	}
}

// printing is what writes to the terminal of whoever links the library.
var printing = map[string]string{
	"fmt": "Print Printf Println",
	"log": "Print Printf Println Fatal Fatalf Fatalln Panic Panicf Panicln",
	"os":  "Stdout Stderr Exit",
}

func TestLibraryPrintsNothing(t *testing.T) {
	t.Parallel()
	for _, p := range loadPackages(t) {
		if !p.matches([]string{"node/...", "groups/...", "relay/...", "protocols/..."}) {
			continue
		}
		for _, use := range p.uses(t, printing) {
			t.Errorf("%s\n\tbecause the library prints nothing and ends nobody's process", use)
		}
	}
}

func TestOnlyStartKnowsTheNode(t *testing.T) {
	t.Parallel()
	for _, p := range loadPackages(t) {
		if !p.matches([]string{"cmd/..."}) {
			continue
		}
		for file, imports := range p.fileImports(t) {
			if imports[module+"/node"] && !strings.HasPrefix(file, "start") && file != "version.go" {
				t.Errorf("%s/%s imports node\n\tbecause start runs it and version names it; all else is a thin function over the daemon's client", p.ImportPath, file)
			}
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	for _, p := range loadPackages(t) {
		if strings.HasPrefix(p.ImportPath, module) && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestRulesCatchWhatTheyForbid(t *testing.T) {
	t.Parallel()
	all := map[string]*goPackage{}
	for path, imports := range map[string]string{
		module + "/protocols/envelope": module + "/protocols/sly",
		module + "/protocols/sly":      module + "/node/links time",
		module + "/node/links":         "github.com/libp2p/go-libp2p",
		"github.com/libp2p/go-libp2p":  "os",
		"time":                         "",
		"os":                           "",
	} {
		all[path] = &goPackage{ImportPath: path, Imports: strings.Fields(imports)}
	}
	cases := []struct {
		name string
		rule rule
		want int
	}{
		{"through another package", rule{in: []string{"protocols/envelope"}, never: []string{"node/..."}}, 1},
		{"a foreign module", rule{in: []string{"protocols/..."}, never: libp2p}, 2},
		{"directly only", rule{in: []string{"protocols/..."}, never: []string{"os/..."}, direct: true}, 0},
		{"an exception", rule{in: []string{"protocols/..."}, except: []string{"protocols/sly"}, never: []string{"node/links"}}, 1},
		{"the package alone", rule{in: []string{"protocols/..."}, never: []string{"node"}}, 0},
	}
	for _, c := range cases {
		if got := c.rule.check(all); len(got) != c.want {
			t.Errorf("%s: %q; want %d", c.name, got, c.want)
		}
	}
}
