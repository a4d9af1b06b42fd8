package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/clock"
	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/node/reach"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// openStore opens the database in the data directory, or one in memory, and the
// vault. The database's lock comes first: it keeps a second node off the vault
// too.
func (n *Node) openStore() error {
	rows, err := n.openRows()
	if err != nil {
		return err
	}
	if n.vault, err = identity.OpenVault(n.cfg.path(identity.VaultFile), n.identity, n.cfg.Now); err != nil {
		return errors.Join(err, rows.Close())
	}
	n.clock = clock.New(n.cfg.Now, n.vault.Floor())
	n.store, err = store.Open(store.Config{
		KV: rows, Shred: n.vault, Now: n.clock.Now,
		InboxLimit: n.cfg.InboxLimit,
		// The courier keeps to the limit; the store's own is a second wall.
		OutboxLimit: 2 * n.cfg.OutboxLimit,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("open database: %w", err), rows.Close())
	}
	return nil
}

func (n *Node) openRows() (kv.Store, error) {
	path := n.cfg.path("db")
	if path == "" {
		return kv.Memory(), nil
	}
	return kv.Open(path, n.cfg.memory().rows)
}

// openHost starts libp2p on the port of the last run, if it is free.
func (n *Node) openHost() (host.Host, nodehost.Info, error) {
	saved, err := n.adopt()
	if err != nil {
		return nil, nodehost.Info{}, err
	}
	n.reach = n.newReach()
	cfg := nodehost.Config{
		Key: n.identity.Host(), Listen: n.cfg.Listen, Port: saved.Port,
		Local: n.cfg.Local, NoPortMap: n.cfg.NoPortMap,
		Reachability: n.reach.First(), RelaySource: n.reach.Source,
		Advertise: n.reach.Advertise, TCPFirst: n.reach.TCPFirst,
		Dialled: n.reach.Dialled, Symmetric: n.reach.Symmetric, Punches: n.reach,
		UserAgent: agent(), Registerer: n.cfg.Registry, LowMemory: n.cfg.LowMemory,
	}
	if n.cfg.Host != nil {
		n.cfg.Host(&cfg)
	}
	h, info, err := nodehost.New(cfg)
	if err != nil {
		return nil, info, err
	}
	if err := n.reach.Bind(reach.Host{Host: h, Local: info.Local, Punch: info.Punch, Mapped: info.Mapped}); err != nil {
		return nil, info, errors.Join(err, h.Close())
	}
	if !info.PortTaken && info.Port != saved.Port {
		saved.Port = info.Port
		if err := n.saveSettings(saved); err != nil {
			h.Close()
			return nil, info, err
		}
	}
	return h, info, nil
}

// agent is the software and its version, in hellos and in identify.
func agent() string { return "tomd/" + Version }

// dialAddrs are the addresses at which a peer may be found besides those that
// libp2p knows: those the user gave, those it was met at, and those it tells the
// network.
func (n *Node) dialAddrs(p Peer) []multiaddr.Multiaddr {
	addrs := append(n.addrsOf(p), n.cache.Addrs(identity.PeerIDOf(p))...)
	return append(addrs, n.presence.Addrs(p)...)
}

// newLinks connects the host's neighbours with the courier.
func (n *Node) newLinks() *links.Links {
	return links.New(n.host, links.Config{
		Network: n.cfg.network, Now: n.clock.Now, Hello: n.hello, Addrs: n.dialAddrs, Find: n.search,
		Friend:     func(p Peer) bool { return !n.store.Stranger(p) },
		Load:       func() uint8 { return n.relay.Load() },
		Expose:     n.expose(),
		Limits:     links.Limits{Line: n.cfg.memory().line},
		Registerer: n.cfg.Registry,
		Handlers: links.Handlers{
			Up:        func(p Peer, path delivery.Path) { n.courier.PeerUp(p, path) },
			Down:      func(p Peer) { n.clock.Forget(p); n.relay.Neighbourhood(); n.courier.PeerDown(p); n.holder.PeerDown(p) },
			Hello:     n.greeted,
			LineLost:  func(p Peer) { n.courier.LineLost(p) },
			State:     func(p Peer, s links.State, _ time.Time) { n.presences.note(p, s) },
			Beat:      func(p Peer, b links.Beat) { n.clock.Observe(p, b.Offset) },
			Presence:  n.toldWhere,
			Envelopes: func(in *links.Inbound, frames [][]byte) { n.courier.Envelopes(in, frames) },
			Answers:   func(p Peer, frames [][]byte) { n.courier.Answers(p, frames) },
			Acks:      func(in *links.Inbound, frames [][]byte) { n.courier.Acks(in, frames) },

			Questions:     func(in *links.Inbound, frames [][]byte) { n.holder.Questions(in, frames) },
			BackupAnswers: func(p Peer, frames [][]byte) { n.holder.Answers(p, frames) },
			Group:         func(in *links.Inbound, frames [][]byte) { n.groups.Group(in, frames) },
			Hub:           func(in *links.Inbound, frames [][]byte) { n.groups.Hub(in, frames) },
		},
	})
}
