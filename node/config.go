package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/discovery"
	"github.com/tom-protocol/tom/node/holder"
	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/reach"
	"github.com/tom-protocol/tom/node/weather"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/relay/role"
)

// Config says how a node runs. The zero value is a node with an identity of
// its own that listens on every interface, finds the other nodes of this
// machine and this LAN by itself, and remembers those it met.
type Config struct {
	// DataDir holds all that must survive: identity, messages, contacts. It is
	// made (0700) where it is missing. Empty means memory: everything, the
	// identity too, ends with the process.
	DataDir string

	// Name is what the node calls itself in hellos, at most 64 bytes; a claim to
	// others, who show it with a question mark. Empty: the name kept in DataDir.
	Name string

	// Network separates networks that must not meet; empty is "main".
	Network string

	// Listen are the multiaddrs to listen on. Empty: QUIC and TCP, IPv4 and
	// IPv6, on one port that is chosen at random at the first start and kept.
	// Loopback addresses alone mean Local.
	Listen []string

	// Bootstrap are multiaddrs with /p2p/, or contact links, of nodes to connect to at start, for
	// a node that knows nobody yet.
	Bootstrap []string

	// Local keeps the node on this machine: loopback listeners, no mDNS, no port
	// mapping, no probing of reachability.
	Local bool

	// Relay says whether this node passes on envelopes of others: "auto" (or
	// empty), as circumstance has it; "on", for whoever asks; "off", for nobody.
	Relay string

	// Hub says whether this node serves groups that it is not in, as their hub, when an
	// admin lists it: "auto" (or empty), those of whom it knows while it can be reached
	// from outside; "on", those of whoever asks, as far as there is room; "off", none.
	Hub string

	// Backup says whether this node keeps sealed messages for others who are away:
	// "auto" (or empty), as there is room; "on", and it tells everybody; "off".
	Backup      string
	BackupQuota int64 // bytes kept for others; 128 MiB if zero

	// Reachability is what the user knows of it: auto leaves it to the node to find
	// out; public vouches that others can dial its addresses, so that it relays for
	// them, on loopback too; private says that nobody can. Empty is auto.
	Reachability string

	NoMDNS       bool // do not look for nodes on the LAN
	NoRendezvous bool // do not look for nodes on this machine
	NoDHT        bool // do not look in the DHT, nor take part in it
	NoGossip     bool // do not hear, nor tell, who offers to relay, beyond the neighbours
	NoPortMap    bool // do not ask the router for a port mapping

	// RendezvousDir is where the nodes of one user on one machine find each
	// other. Empty: a directory below $XDG_RUNTIME_DIR, or beside DataDir.
	RendezvousDir string

	// Host, if not nil, changes how the libp2p host is made: for transports of
	// one's own, or a simulated network.
	Host func(*nodehost.Config)

	// Uplink says where this machine's packets come from, for a simulated network;
	// nil: the system is asked.
	Uplink func() reach.Uplink

	// Now is the wall clock; time.Now if nil.
	Now func() time.Time

	// Registry takes the node's metrics and libp2p's; nil makes one of the
	// node's own. Two nodes cannot share one.
	Registry *prometheus.Registry

	// RequireForwardSecrecy makes every message fail rather than be sealed to a
	// recipient's identity key when no prekey of it can be had.
	RequireForwardSecrecy bool

	// Chaos spoils this node's own streams, for a program under test that should
	// stand bad weather: weather.Parse reads it. Empty: none. Not on "main".
	Chaos string

	// LowMemory is for machines with little of it, say 1 GB for everything: smaller
	// caches and queues, fewer connections, and a smaller OutboxLimit where none is
	// given. The process's garbage collector is its owner's to set.
	LowMemory bool

	InboxLimit  int64 // bytes of messages kept; 256 MiB if zero. Strangers together get half
	OutboxLimit int64 // bytes of messages waiting for a receipt; 64 MiB if zero
}

// settings is a Config that has been checked.
type settings struct {
	Config
	network   protocols.Network
	vouch     reach.Vouch
	bootstrap discovery.Bootstrap
	relay     role.Mode
	hub       role.Mode
	backup    holder.Mode
	forecast  weather.Forecast // of Chaos
}

const (
	defaultInbox = 256 << 20
	leastLimit   = 1 << 20
)

func (cfg Config) check() (*settings, error) {
	s := &settings{Config: cfg, network: protocols.Main}
	var err error
	if cfg.Network != "" {
		if s.network, err = protocols.ParseNetwork(cfg.Network); err != nil {
			return nil, err
		}
	}
	if s.relay, err = role.ParseMode(cfg.Relay); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if s.hub, err = role.ParseMode(cfg.Hub); err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if s.backup, err = holder.ParseMode(cfg.Backup); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if s.vouch, err = reach.ParseVouch(cfg.Reachability); err != nil {
		return nil, fmt.Errorf("reachability: %w", err)
	}
	if err := s.checkChaos(); err != nil {
		return nil, err
	}
	if len(cfg.Name) > heartbeat.MaxName {
		return nil, fmt.Errorf("the name has %d bytes and the limit is %d", len(cfg.Name), heartbeat.MaxName)
	}
	for _, text := range cfg.Listen {
		if _, err := multiaddr.NewMultiaddr(text); err != nil {
			return nil, fmt.Errorf("listen address %q: %w", text, err)
		}
	}
	for _, text := range cfg.Bootstrap {
		info, err := bootstrapPeer(text)
		if err != nil {
			return nil, fmt.Errorf("bootstrap address %q: %w", text, err)
		}
		s.bootstrap = append(s.bootstrap, info)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Registry == nil {
		s.Registry = prometheus.NewRegistry()
	}
	if s.Registry.Register(buildInfo()) != nil {
		return nil, ErrRegistry
	}
	for _, limit := range []*int64{&s.InboxLimit, &s.OutboxLimit} {
		if *limit != 0 && *limit < leastLimit {
			return nil, errors.New("a limit of inbox or outbox is at least 1 MiB")
		}
	}
	if s.InboxLimit == 0 {
		s.InboxLimit = defaultInbox
	}
	if s.OutboxLimit == 0 {
		s.OutboxLimit = s.memory().outbox
	}
	return s, nil
}

// buildInfo is the metric that tells the version, and claims a registry for one
// node.
func buildInfo() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "tom", Name: "build_info", Help: "The version that runs, as a label.",
		ConstLabels: prometheus.Labels{"version": Version},
	})
	info.Set(1)
	return info
}

// bootstrapPeer reads a multiaddr with /p2p/, or a contact link.
func bootstrapPeer(text string) (peer.AddrInfo, error) {
	if identity.IsLink(text) {
		link, err := identity.ParseLink(text)
		return peer.AddrInfo{ID: identity.PeerIDOf(link.Peer), Addrs: link.Addrs}, err
	}
	info, err := peer.AddrInfoFromString(text)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	return *info, nil
}

// rendezvousDir is the folder in which nodes of this user and network meet.
func (s *settings) rendezvousDir() string {
	switch {
	case s.RendezvousDir != "":
		return filepath.Join(s.RendezvousDir, string(s.network))
	case os.Getenv("XDG_RUNTIME_DIR") != "":
		return filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "tom", string(s.network))
	case s.DataDir != "":
		return filepath.Join(filepath.Dir(filepath.Clean(s.DataDir)), ".tom-rendezvous", string(s.network))
	}
	return filepath.Join(os.TempDir(), "tom-"+strconv.Itoa(os.Getuid()), string(s.network))
}

// path is a file of the data directory; empty while everything is in memory.
func (s *settings) path(name string) string {
	if s.DataDir == "" {
		return ""
	}
	return filepath.Join(s.DataDir, name)
}

// makeDataDir makes the data directory for its owner alone.
func (s *settings) makeDataDir() error {
	if s.DataDir == "" {
		return nil
	}
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w: name one that you may write with --data", err)
	}
	return nil
}
