package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/node/clock"
	"github.com/tom-protocol/tom/node/courier"
	"github.com/tom-protocol/tom/node/discovery"
	"github.com/tom-protocol/tom/node/holder"
	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/node/reach"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/weather"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/relay"
)

var logger = log.Logger("tom/node")

// Version is what this build calls itself; set by the linker for releases.
var Version = "0.1.0-dev"

// Node is one device in the network. Its methods may be called from any
// goroutine, before Run too: what needs the network waits for it then.
type Node struct {
	cfg      *settings
	started  time.Time
	identity *identity.Identity
	signer   protocols.Signer
	vault    *identity.Vault
	clock    *clock.Clock
	store    *store.Store
	host     host.Host
	hostInfo nodehost.Info
	reach    *reach.Service
	roleNews chan struct{} // holds at most one token: the roles changed
	cache    *discovery.Cache
	finder   *discovery.Service
	dht      *discovery.DHT // nil without
	presence *discovery.Presence
	links    *links.Links
	courier  *courier.Courier
	relay    *relay.Service
	holder   *holder.Service
	groups   *groups.Service
	weather  *weather.Weather // nil: fair

	presences *presences // of peers, on their way into the log of events
	groupNews *groupNews // the same of groups

	hellos hellos // what neighbours said of themselves

	ran       atomic.Bool   // Run was called
	closing   chan struct{} // closed when Close begins
	closeOnce sync.Once
	closed    error
}

// New opens the data directory and starts to listen. The caller runs the node,
// or closes it.
func New(cfg Config) (*Node, error) {
	s, err := cfg.check()
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: s, started: time.Now(), closing: make(chan struct{}), roleNews: make(chan struct{}, 1)}
	if err := n.open(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// open makes the parts, the innermost first.
func (n *Node) open() (err error) {
	if err = n.openIdentity(); err != nil {
		return err
	}
	if err = n.openStore(); err != nil {
		return err
	}
	if n.host, n.hostInfo, err = n.openHost(); err != nil {
		return err
	}
	if n.cache, err = discovery.OpenCache(n.cfg.path("peers.json")); err != nil {
		return err
	}
	n.presence = n.newPresence()
	n.finder = n.newFinder()
	n.presences = newPresences(func(p Peer, s Presence) error { return n.store.PeerEvent(p, uint8(s)) })
	n.groupNews = newGroupNews(n.store.GroupEvents)
	n.weather = n.newWeather()
	n.links = n.newLinks()
	if n.relay, err = n.newRelay(); err != nil {
		return err
	}
	n.holder = n.newHolder()
	n.courier = courier.New(courier.Config{
		Signer: n.signer, Prekeys: n.vault, Agreement: n.vault,
		Store: n.store, Lines: n.links, Now: n.clock.Now,
		InDoubt:     func() bool { return !n.clock.Destroying() },
		Router:      n.relay,
		Transit:     transit{n.relay},
		Backup:      n.holder,
		LookUp:      n.lookUpPrekeys,
		Own:         func(from Peer, kind string, body []byte) error { return n.groups.Own(from, kind, body) },
		OutboxLimit: n.cfg.OutboxLimit,
		Count:       courier.NewCounters(n.cfg.Registry),
	})
	n.groups, err = n.newGroups()
	return err
}

func (n *Node) openIdentity() (err error) {
	if err = n.cfg.makeDataDir(); err != nil {
		return err
	}
	if n.cfg.DataDir == "" {
		n.identity, err = identity.New()
	} else {
		n.identity, err = identity.Open(n.cfg.DataDir)
	}
	if err != nil {
		return err
	}
	n.signer = n.identity.Signer(n.cfg.network)
	return nil
}

// Run keeps the node going until ctx ends or Close is called, and closes it. It
// may be called once.
func (n *Node) Run(ctx context.Context) error {
	if n.ran.Swap(true) {
		return ErrRan
	}
	// The parts run a little longer than ctx: what is kept for others is handed
	// over before they end.
	stop := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	for name, run := range map[string]func(context.Context) error{
		"groups":    n.groups.Run,
		"courier":   n.courier.Run,
		"links":     n.links.Run,
		"weather":   n.weather.Run,
		"relay":     n.relay.Run,
		"holder":    n.holder.Run,
		"discovery": n.finder.Run,
		"upkeep":    n.upkeep,
		"presence":  n.presences.run,
		"news":      n.groupNews.run,
		"addresses": n.watchSelf,
		"reach":     n.reach.Run,
		"relaying":  n.relayForOthers,
	} {
		parts.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-stop.Done():
		n.leave(ctx)
		cancel(context.Cause(stop))
	case <-n.closing:
		n.leave(ctx)
		cancel(nil)
	}
	cause := context.Cause(ctx)
	parts.Wait()
	n.weather.Wait()
	cancel(nil)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		cause = nil
	}
	return errors.Join(cause, n.Close())
}

// Close lets go of everything that New opened. Run does it by itself.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		close(n.closing)
		var errs []error
		if n.host != nil {
			errs = append(errs, n.host.Close())
		}
		if n.store != nil {
			errs = append(errs, n.store.Close())
		}
		if n.vault != nil {
			errs = append(errs, n.vault.Close())
		}
		n.closed = errors.Join(errs...)
	})
	return n.closed
}

// Metrics holds this node's metrics and libp2p's.
func (n *Node) Metrics() prometheus.Gatherer { return n.cfg.Registry }
