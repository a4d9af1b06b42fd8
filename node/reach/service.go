package reach

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

var logger = log.Logger("tom/reach")

// Config says what the service works with. The zero value works.
type Config struct {
	Vouch Vouch // empty: Auto

	// Relays are the relays known, ranked, at most n; nil: only neighbours that
	// relay are reserved with.
	Relays func(n int) []peer.AddrInfo

	// Reconnect closes all connections and dials those who matter again, because
	// the uplink has changed; nil: all connections stay as they are.
	Reconnect func(ctx context.Context)

	// RelaysChanged is told with which relays this node has a reservation now. It
	// must not block. Nil: nobody is told.
	RelaysChanged func([]peer.ID)

	// Uplink reads where packets come from; nil: the system is asked, once a
	// second, if the host listens on all interfaces.
	Uplink func() Uplink

	Wanted     int                   // reservations that the host strives for
	PortMap    bool                  // routers are asked for ports
	Registerer prometheus.Registerer // for the relay's metrics; nil: none are kept
}

// Host is the host to judge, and what it can do besides.
type Host struct {
	host.Host
	Local  bool                         // it keeps to this machine
	Punch  func(peer.ID) error          // see node/host; nil: no holes are punched
	Mapped func() []multiaddr.Multiaddr // addresses that routers gave; nil: none are asked
}

// Service owns the reachability of a host. Its methods are for any goroutine.
type Service struct {
	cfg     Config
	metrics relay.MetricsTracer
	ended   chan struct{} // closed when Run has ended
	news    chan struct{} // holds at most one token: something is due sooner than thought
	slots   chan struct{} // one for each dial or punch that runs beside Run
	tasks   sync.WaitGroup

	serveMu sync.Mutex
	relay   *relay.Relay // nil while this node does not relay

	emitter event.Emitter
	events  event.Subscription

	mu        sync.Mutex // guards what follows
	host      *Host
	judge     *Judge
	verdict   Verdict
	addrs     Addresses
	advert    advert
	seen      sightings
	uplink    Uplink
	own       []netip.Addr // this machine's, where the host listens
	strangers strangers
	trial     trial
	punches   punches
	stale     staleness
	tcp       tcpSearch
	offered   map[peer.ID]time.Time
	wake      chan struct{} // closed and replaced when relays may have become known
	changed   chan struct{} // closed and replaced when Public changes
}

// atATime is how many dials and punches run beside each other.
const atATime = 8

// New makes a service. Its Source, Advertise, TCPFirst, Dialled and Trace are for
// the configuration of the host, which Bind takes then.
func New(cfg Config) *Service {
	if cfg.Vouch == "" {
		cfg.Vouch = Auto
	}
	s := &Service{
		cfg: cfg, metrics: relayMetrics(cfg.Registerer),
		ended: make(chan struct{}), news: make(chan struct{}, 1), slots: make(chan struct{}, atATime),
		judge: NewJudge(cfg.Vouch), seen: make(sightings), punches: make(punches),
		offered: make(map[peer.ID]time.Time),
		wake:    make(chan struct{}), changed: make(chan struct{}),
	}
	s.verdict = s.judge.Step(time.Now(), Addresses{})
	s.advert = advert{vouched: cfg.Vouch == Public, since: time.Now()}
	s.strangers.since = time.Now()
	return s
}

// First is what a host should hold before anything is known.
func (s *Service) First() network.Reachability {
	if s.cfg.Vouch == Public {
		return network.ReachabilityPublic
	}
	return network.ReachabilityPrivate
}

// Bind gives the service its host, once, before Run.
func (s *Service) Bind(h Host) (err error) {
	if s.emitter, err = h.EventBus().Emitter(new(event.EvtLocalReachabilityChanged), eventbus.Stateful); err != nil {
		return fmt.Errorf("own the reachability event: %w", err)
	}
	s.events, err = h.EventBus().Subscribe([]any{
		new(event.EvtHostReachableAddrsChanged), new(event.EvtAutoRelayAddrsUpdated),
		new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerProtocolsUpdated),
		new(event.EvtPeerConnectednessChanged),
	}, eventbus.Name("tom/reach"), eventbus.BufSize(256))
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	s.mu.Lock()
	s.host = &h
	s.mu.Unlock()
	s.setUplink(s.readUplink())
	s.Look() // the host may have asked for relays already
	return nil
}

func (s *Service) hostNow() *Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host
}

// Public says that anybody can dial this node.
func (s *Service) Public() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verdict.Public
}

// Changed is closed when Public changes next.
func (s *Service) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Relays are the relays with which this node has a reservation.
func (s *Service) Relays() []peer.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return relaysOf(s.advert.circuits)
}

func relaysOf(circuits []multiaddr.Multiaddr) []peer.ID {
	var ids []peer.ID
	for _, a := range circuits {
		text, err := a.ValueForProtocol(multiaddr.P_P2P)
		if err != nil {
			continue
		}
		if id, err := peer.Decode(text); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Advertise picks the addresses that others should hear of.
func (s *Service) Advertise(addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.advert.pick(time.Now(), addrs)
}

// Run judges until ctx ends, then ends the relay service and returns nil.
func (s *Service) Run(ctx context.Context) error {
	h := s.hostNow()
	notices := &network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { s.met(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { s.forget(c) },
	}
	h.Network().Notify(notices)
	s.loop(ctx)
	close(s.ended)
	h.Network().StopNotify(notices)
	s.tasks.Wait()
	return s.Serve(false)
}

func (s *Service) loop(ctx context.Context) {
	var uplink <-chan time.Time
	if s.watches() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		uplink = ticker.C
	}
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		due.Reset(s.tend(ctx, time.Now()))
		select {
		case <-ctx.Done():
			_ = s.events.Close()
			return
		case e := <-s.events.Out():
			s.hear(ctx, e)
		case <-s.news:
		case <-uplink:
			s.checkUplink(ctx)
		case <-due.C:
		}
	}
}

// nudge has Run look what is due.
func (s *Service) nudge() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *Service) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// spawn runs f beside Run, which waits for it, if a slot is free.
func (s *Service) spawn(f func()) bool {
	select {
	case s.slots <- struct{}{}:
	default:
		return false
	}
	s.tasks.Go(func() {
		defer func() { <-s.slots }()
		f()
	})
	return true
}

// hear takes in an event of the host.
func (s *Service) hear(ctx context.Context, e any) {
	switch e := e.(type) {
	case event.EvtHostReachableAddrsChanged:
		listens := s.listens()
		s.mu.Lock()
		s.addrs = Addresses{Reachable: e.Reachable, Unreachable: e.Unreachable, Unknown: e.Unknown}
		s.own = listens
		s.mu.Unlock()
	case event.EvtAutoRelayAddrsUpdated:
		s.mu.Lock()
		s.advert.circuits = e.RelayAddrs
		s.mu.Unlock()
		if s.cfg.RelaysChanged != nil {
			s.cfg.RelaysChanged(relaysOf(e.RelayAddrs))
		}
	case event.EvtPeerIdentificationCompleted:
		s.identified(ctx, e)
		if relays(e.Protocols) {
			s.Look()
		}
	case event.EvtPeerProtocolsUpdated:
		if relays(e.Added) {
			s.Look()
		}
		if slices.Contains(e.Added, holepunch.Protocol) {
			s.hurryPunch(e.Peer)
		}
	case event.EvtPeerConnectednessChanged:
		if e.Connectedness == network.NotConnected {
			s.mu.Lock()
			delete(s.offered, e.Peer) // when it comes back it may do
			delete(s.punches, e.Peer)
			s.mu.Unlock()
		}
	}
}

// tend judges, does what is due, and returns how long nothing will be.
func (s *Service) tend(ctx context.Context, now time.Time) time.Duration {
	s.rule(now)
	s.lookDue(ctx, now)
	next := time.Hour
	for _, t := range []time.Time{s.punchDue(ctx, now), s.tcpDue(ctx, now), s.ruleDue()} {
		if !t.IsZero() {
			next = min(next, max(t.Sub(now), time.Millisecond))
		}
	}
	return next
}

func (s *Service) ruleDue() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.judge.Deadline()
	if begins := s.trial.begins; len(s.advert.doubted) > 0 && (at.IsZero() || begins.Before(at)) {
		return begins
	}
	return at
}

// rule has the judge say what holds, and tells those who wait for it.
func (s *Service) rule(now time.Time) {
	s.mu.Lock()
	was, is := s.verdict, s.judge.Step(now, s.believed(now))
	s.verdict = is
	s.advert.wanted = is.NeedsRelays
	if was.Public != is.Public {
		close(s.changed)
		s.changed = make(chan struct{})
	}
	s.mu.Unlock()
	if was.NeedsRelays == is.NeedsRelays {
		return
	}
	r := network.ReachabilityPublic
	if is.NeedsRelays {
		r = network.ReachabilityPrivate
	}
	logger.Infow("reachability changed", "public", is.Public, "relays", is.NeedsRelays)
	if err := s.emitter.Emit(event.EvtLocalReachabilityChanged{Reachability: r}); err != nil {
		logger.Warnw("tell reachability", "err", err)
	}
}
