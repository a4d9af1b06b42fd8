package natlab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// party is a daemon on a host.
type party struct {
	*proc.Daemon
	at      *node
	machine *proc.Machine
	killed  atomic.Bool
}

// start runs a daemon on a host, with everything as a user finds it but the
// bootstrap nodes and what else is said. The test ends it.
func (l *lab) start(t *testing.T, at *node, args ...string) *party {
	t.Helper()
	p, err := l.launch(t.Context(), at, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(t) })
	return p
}

// launch is start for any goroutine; the caller ends the daemon. It has a
// directory of its own: it shares nothing with the others but the wires.
func (l *lab) launch(ctx context.Context, at *node, args ...string) (*party, error) {
	m, err := proc.NewMachine()
	if err != nil {
		return nil, err
	}
	m.Network, m.Namespace = strings.Trim(l.name, "-"), at.namespace
	for _, link := range l.bootstrap {
		args = append(args, "--bootstrap", link)
	}
	if logs() != "" {
		args = append(args, "--log-level", "debug")
	}
	d, err := m.Start(ctx, at.name, args...)
	if err != nil {
		_ = m.Close()
		return nil, err
	}
	return &party{Daemon: d, at: at, machine: m}, nil
}

// logs is where what daemons log goes, if anywhere.
func logs() string { return os.Getenv("NATLAB_LOGS") }

// end stops the daemon, which must have had nothing to complain of.
func (p *party) end(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := p.Stop(ctx)
	if logs() != "" {
		file := filepath.Join(logs(), fmt.Sprintf("%s-%s-%d.log", strings.ReplaceAll(t.Name(), "/", "."), p.Name, p.PID()))
		err = os.WriteFile(file, []byte(p.Stderr()), 0o600)
	}
	if err != nil && !p.killed.Load() {
		t.Error(err)
	}
	_ = p.machine.Close()
}

// kill ends the process as a power cut would.
func (p *party) kill() {
	p.killed.Store(true)
	p.Kill()
}

// startPublics runs nodes on hosts that everybody can reach, and returns when
// they serve others. They are all that those who come later know of the network,
// and do for them what any node does.
func (l *lab) startPublics(t *testing.T, names ...string) (publics []*party) {
	t.Helper()
	var sites []site
	for _, name := range names {
		sites = append(sites, host(name))
	}
	for _, n := range l.add(t, sites...) {
		p := l.start(t, n)
		publics = append(publics, p)
		l.bootstrap = append(l.bootstrap, p.Link)
	}
	for _, p := range publics {
		p.await(t, "knows that it is public", func(s localapi.Status) bool { return s.Reachability == "public" })
	}
	// They take their time to believe it. Somebody who needs them finds out.
	homes := l.add(t, behind(cone, host("scout")))
	scout := l.start(t, homes.site("scout"))
	scout.ready(t)
	return publics
}

// ready returns when others can find the daemon, which is when a user would say
// that it is online: it has an address that leads to it. So long it took.
func (p *party) ready(t *testing.T) time.Duration {
	t.Helper()
	p.await(t, "can be reached", reachable)
	return time.Since(p.Started)
}

func reachable(s localapi.Status) bool {
	return s.Reachability == "public" || slices.ContainsFunc(s.Addrs, isCircuit)
}

// settled is how long a daemon has been up that knows all it can find out about
// its network.
const settled = 8 * time.Second

// settle returns when the daemon has been up for a while.
func (p *party) settle(t *testing.T) {
	t.Helper()
	p.await(t, "can still be reached", func(s localapi.Status) bool {
		return time.Duration(s.UptimeMS)*time.Millisecond >= settled && reachable(s)
	})
}

func isCircuit(addr string) bool { return strings.Contains(addr, "/p2p-circuit") }

// readyTime is how long a daemon may take until it can be reached.
const readyTime = 2 * time.Minute

func (p *party) await(t *testing.T, what string, condition func(localapi.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyTime)
	defer cancel()
	var last localapi.Status
	for {
		s, err := p.Client.Status(ctx)
		if err != nil {
			t.Fatalf("not true after %v that %s %s: %v: %+v", readyTime, p.Name, what, err, last)
		}
		if last = s; condition(s) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
