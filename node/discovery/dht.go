package discovery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/records"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
)

// Parameters of the DHT. Nodes are people's devices: there are fewer of them,
// and they know fewer addresses by heart, than those of a file-sharing network,
// and each query may be a handshake.
const (
	dhtBucket      = 10               // peers in a bucket, and holders of a record (k)
	dhtConcurrency = 4                // queries of one lookup at a time (alpha)
	dhtChecks      = 16               // new peers that are asked at a time whether they answer
	dhtLookups     = 16               // of ours at a time; the next one waits
	providerLife   = 24 * time.Hour   // of a provider record
	providerAddrs  = 2 * time.Hour    // as long a holder knows where a provider is; it provides again by then
	recordLife     = 48 * time.Hour   // of a prekey record with a holder
	sweepEvery     = time.Hour        // holders drop what is over
	lookupTimeout  = 10 * time.Second // of a question
	publishTimeout = 30 * time.Second // of leaving a record with its holders
)

// ErrNotRunning is returned by what needs the DHT while it does not run.
var ErrNotRunning = errors.New("the DHT does not run")

// DHTConfig says how a node takes part in the DHT. Host is needed; the zero
// value of any other field works.
type DHTConfig struct {
	Host    host.Host
	Network protocols.Network // whose DHT; Main if empty
	Local   bool              // this node keeps to this machine: addresses of the loopback are good

	// Confirmed says that an address of this node is known to be reachable from
	// outside. It is asked now and then; nil: never.
	Confirmed func() bool
	// Prekeys is this node's newest signed record, to be published; nil: none.
	Prekeys func() []byte
	// Roles are the roles this node offers now, to be published; nil: none.
	Roles func() []uint8
	// Offered is called when nodes were found that offer a role; it must not
	// block; nil: nobody is told.
	Offered func(role uint8)

	Now        func() time.Time // wall clock, for the age of records; time.Now if nil
	Registerer prometheus.Registerer
}

// DHT finds peers, their prekeys and who offers a role in the Kademlia table
// that all nodes of a network keep together. As a Source it names nobody by
// itself: looking up its own neighbourhood connects it.
type DHT struct {
	cfg   DHTConfig
	count *dhtCounters
	store *dhtStore
	slots chan struct{} // one for each lookup at a time
	again chan struct{} // something has changed that may be to be published
	moved atomic.Bool   // our addresses, for one

	missed misses

	mu     sync.Mutex
	kad    *dht.IpfsDHT // nil while it does not run
	offers map[uint8]offers
	wanted map[uint8]bool // roles to be looked for; there are 256 at most
}

// NewDHT makes a source that runs the DHT.
func NewDHT(cfg DHTConfig) *DHT {
	if cfg.Network == "" {
		cfg.Network = protocols.Main
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &DHT{
		cfg: cfg, count: newDHTCounters(cfg.Registerer),
		slots: make(chan struct{}, dhtLookups), again: make(chan struct{}, 1),
		offers: make(map[uint8]offers), wanted: make(map[uint8]bool),
	}
	d.store = newDHTStore(cfg.Host.ID(), d.count.dropped)
	return d
}

// Name implements Source.
func (*DHT) Name() string { return "dht" }

// Run implements Source.
func (d *DHT) Run(ctx context.Context, _ func(peer.AddrInfo)) error {
	h, err := newJudged(d.cfg.Host, d.cfg.Confirmed)
	if err != nil {
		return err
	}
	defer h.close()
	kad, err := dht.New(h, d.options()...)
	if err != nil {
		return fmt.Errorf("start the DHT: %w", err)
	}
	d.set(kad)
	defer func() {
		d.set(nil)
		_ = kad.Close()
	}()
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { h.run(ctx, d.heard) })
	newDHTUpkeep(d, kad).run(ctx)
	return nil
}

func (d *DHT) options() []dht.Option {
	return []dht.Option{
		dht.ProtocolPrefix(protocol.ID(d.cfg.Network.Protocol(protocols.KadPrefix))),
		dht.Mode(dht.ModeAuto), // which follows the bus of the host it is given: our judgement
		dht.BucketSize(dhtBucket),
		dht.Concurrency(dhtConcurrency),
		dht.LookupCheckConcurrency(dhtChecks),
		dht.DisableAutoRefresh(),
		dht.Datastore(d.store),
		dht.Validator(record.NamespacedValidator{prekeySpace: d.validator()}),
		dht.MaxRecordAge(recordLife),
		dht.ValueGCInterval(sweepEvery),
		dht.ProviderManagerOpts(
			records.ProvideValidity(providerLife), records.ProviderAddrTTL(providerAddrs),
			records.CleanupInterval(sweepEvery), records.Cache(noCache{}),
		),
		dht.AddressFilter(d.dialable),
	}
}

// dialable leaves out what only means something on the machine of whoever says
// it.
func (d *DHT) dialable(addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	good := make([]multiaddr.Multiaddr, 0, min(len(addrs), maxAddrs))
	for _, a := range addrs {
		if len(good) == maxAddrs {
			break
		}
		if !identity.HereOnly(a) || d.cfg.Local && manet.IsIPLoopback(a) {
			good = append(good, a)
		}
	}
	return good
}

func (d *DHT) set(kad *dht.IpfsDHT) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kad = kad
}

// poke has what this node publishes be looked at again.
func (d *DHT) poke() {
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// heard takes in that somebody came, or that we moved.
func (d *DHT) heard(moved bool) {
	if moved {
		d.moved.Store(true)
	}
	d.poke()
}

// Serves says that a peer is known to answer others in this DHT.
func (d *DHT) Serves(id peer.ID) bool {
	kad := protocol.ID(d.cfg.Network.Protocol(protocols.KadPrefix)) + "/kad/1.0.0"
	spoken, err := d.cfg.Host.Peerstore().SupportsProtocols(id, kad)
	return err == nil && len(spoken) > 0
}

// Changed says that this node's prekeys, roles or addresses may be others now.
func (d *DHT) Changed() { d.poke() }

// Size is how many peers are in the routing table.
func (d *DHT) Size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kad == nil {
		return 0
	}
	return d.kad.RoutingTable().Size()
}

// ask runs a lookup within its bounds, and counts how it ended.
func (d *DHT) ask(ctx context.Context, what string, f func(context.Context, *dht.IpfsDHT) error) error {
	d.mu.Lock()
	kad := d.kad
	d.mu.Unlock()
	if kad == nil {
		return ErrNotRunning
	}
	if kad.RoutingTable().Size() == 0 {
		return ErrNotFound // there is nobody to ask
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := time.Now()
	err := f(ctx, kad)
	d.count.looked(what, err, time.Since(begun))
	return err
}
