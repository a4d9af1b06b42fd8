package scale

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// What the nodes are held to.
const (
	memoryLimit = 4 << 20          // bytes a node, with all its connections
	firstLimit  = 10 * time.Second // until a message to a peer id alone is delivered
	presence300 = 1.2              // times the presence traffic of 100 nodes, a node
	dialLimit   = 4                // addresses dialled by a node in a minute, while nothing happens
)

// short is how long a town lives, in virtual time.
const short = 6 * time.Minute

// long is SOAK_MINUTES, or half an hour.
func long() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("SOAK_MINUTES")); err == nil {
		return time.Duration(n) * time.Minute
	}
	return 30 * time.Minute
}

// town is a number of nodes that live together.
type town struct {
	t       *testing.T
	in      *simnat.Internet
	nodes   []*simnat.Node
	traffic []*traffic
}

// bootstraps is how many nodes a newcomer knows.
const bootstraps = 3

// settle starts n nodes, five a second.
func settle(t *testing.T, in *simnat.Internet, n int) *town {
	w := &town{t: t, in: in}
	var known []string
	for i := range n {
		cfg := node.Config{Bootstrap: known}
		if i%4 == 0 {
			cfg.Reachability = "public" // as a user with a port mapping says
		}
		nd := w.place(i, cfg)
		if i%4 == 0 && len(known) < bootstraps {
			known = append(known, nd.Addrs()[0].String()+"/p2p/"+nd.ID())
		}
		virtual.Pass(200 * time.Millisecond)
	}
	return w
}

func (w *town) place(i int, cfg node.Config) *simnat.Node {
	counter := new(traffic)
	cfg.Host = func(c *nodehost.Config) {
		c.FewConns, c.ManyConns = 24, 40
		c.Options = append(c.Options, libp2p.BandwidthReporter(counter))
		c.Dialled = counter.dialled(c.Dialled)
	}
	outside := fmt.Sprintf("%d.%d.%d.1", 1+i/250, 1+i%250, 1+i%7)
	var nd *simnat.Node
	if cfg.Reachability == "public" {
		nd = w.in.Place(w.t, outside, nil, cfg)
	} else {
		home := w.in.Router(outside)
		home.Symmetric = i%8 == 7
		nd = w.in.Place(w.t, fmt.Sprintf("10.%d.%d.2", i/250, i%250), home, cfg)
	}
	w.nodes, w.traffic = append(w.nodes, nd), append(w.traffic, counter)
	return nd
}

// spent is what the town has cost so far, of a node on average.
func (w *town) spent() (s spent) {
	for _, c := range w.traffic {
		s.presence += float64(c.bytes.Load())
		s.dials += float64(c.dials.Load())
	}
	s.presence /= float64(len(w.nodes))
	s.dials /= float64(len(w.nodes))
	return s
}

// memory is what a node takes, on average, after a while of silence: pools are
// empty after two collections, and each lets the stacks shrink by half.
func (w *town) memory() int {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc+m.StackInuse) / len(w.nodes)
}

// peers is how many a node is connected to, on average.
func (w *town) peers() (n int) {
	for _, nd := range w.nodes {
		n += len(nd.Peers())
	}
	return n / len(w.nodes)
}

// meet has pairs of nodes that never met exchange a message, to a peer id alone,
// and returns how long each first delivery took.
func (w *town) meet(pairs int, rng *rand.Rand) []time.Duration {
	took := make([]time.Duration, pairs)
	var all sync.WaitGroup
	for i := range took {
		a := rng.IntN(len(w.nodes))
		b := (a + 1 + rng.IntN(len(w.nodes)-1)) % len(w.nodes)
		all.Go(func() { took[i] = w.deliver(w.nodes[a], w.nodes[b]) })
		virtual.Pass(100 * time.Millisecond)
	}
	all.Wait()
	slices.Sort(took)
	return took
}

func (w *town) deliver(from, to *simnat.Node) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	begun := time.Now()
	id, err := from.Node.Send(ctx, to.ID(), node.Text("out of the blue"))
	if err != nil {
		w.t.Error(err)
		return 0
	}
	if st, err := from.Wait(ctx, id, node.Delivered); err != nil || st.State != node.Delivered {
		trace, _ := from.Trace(context.Background(), id)
		w.t.Errorf("%s to %s: %v, %v; trace %+v", from.ID(), to.ID(), st.State, err, trace)
	}
	return time.Since(begun)
}

// live lets a town live, prints and judges what that cost, and returns it.
func live(t *testing.T, lifetime time.Duration, nodes, pairs int) (r result) {
	simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
		begun := time.Now()
		w := settle(t, in, nodes)
		virtual.Pass(time.Minute)
		early := w.meet(pairs, rand.New(rand.NewPCG(1, uint64(nodes))))
		t.Logf("%d nodes: first delivery p50 %v, p95 %v", nodes, percentile(early, 50), percentile(early, 95)) // the end may be an hour away
		virtual.Pass(lifetime/2 - time.Since(begun))
		before := w.spent()
		virtual.Pass(lifetime / 2)
		r = result{nodes: nodes, lived: lifetime, spent: w.spent().since(before, lifetime/2), memory: w.memory(), peers: w.peers()}
		t.Logf("%d nodes: %.2f MB a node, presence %.1f B/s", nodes, float64(r.memory)/(1<<20), r.spent.presence)
		r.early, r.late = early, w.meet(pairs, rand.New(rand.NewPCG(2, uint64(nodes))))
		t.Logf("\n%s", r.table())
		r.judge(t)
	})
	return r
}

func TestAnyNodeReachesAnyOther(t *testing.T) {
	t.Parallel()
	if os.Getenv("SOAK") != "1" {
		live(t, short, 100, 100)
		return
	}
	var few result
	t.Run("100", func(t *testing.T) { few = live(t, long(), 100, 100) })
	t.Run("300", func(t *testing.T) {
		more := live(t, long(), 300, 300)
		if few.nodes == 0 {
			return // it was not asked for
		}
		ratio := more.spent.presence / few.spent.presence
		t.Logf("presence of a node among 300: %.2f times that of one among 100", ratio)
		if ratio > presence300 {
			t.Errorf("that is more than %.1f times", presence300)
		}
	})
	t.Run("1000", func(t *testing.T) { live(t, long(), 1000, 500) })
}
