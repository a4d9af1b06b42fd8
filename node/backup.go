package node

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/holder"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/presence"
)

// Mailbox sums up what this node keeps for others: never whose words.
type Mailbox = backup.Usage

// Mailbox sums up what this node keeps for others.
func (n *Node) Mailbox() Mailbox { return n.holder.Usage() }

// maxHolderCandidates is how many nodes are considered as holders at once.
const maxHolderCandidates = 256

// handOver is how long a node that stops may take to bring what it keeps for
// others to others.
const handOver = 3 * time.Second

// newHolder keeps mail for others, and has others keep this node's.
func (n *Node) newHolder() *holder.Service {
	cfg := holder.Config{
		Signer: n.signer, Now: n.clock.Now, InDoubt: func() bool { return !n.clock.Destroying() },
		Disk: n.store, Lines: n.links, Post: post{n},
		Mode: n.cfg.backup, Limits: backup.Limits{Total: n.cfg.BackupQuota},
		Candidates: n.holderCandidates, Expected: n.cache.Len() > 0,
		Offers:     func(p Peer) bool { return n.hellos.offers(p, heartbeat.RoleBackup) },
		Registerer: n.cfg.Registry,
	}
	if n.dht != nil {
		cfg.Provide, cfg.Providers = n.dht.Provide, n.mailboxProviders
	}
	return holder.New(cfg)
}

// post is the courier, which is made after the holder.
type post struct{ n *Node }

func (p post) Fetched(from Peer, frames [][]byte)        { p.n.courier.Fetched(from, frames) }
func (p post) Receipts(from Peer, frame []byte) error    { return p.n.courier.Receipts(from, frame) }
func (p post) Placed(id MessageID, how backup.Placement) { p.n.courier.Placed(id, how) }

// mailboxProviders are nodes that the DHT names; how to reach them is left where
// dials look for it.
func (n *Node) mailboxProviders(ctx context.Context, digest [sha256.Size]byte, limit int) (all []Peer) {
	infos, err := n.dht.Providers(ctx, digest, limit)
	if err != nil {
		logger.Debugw("no providers of mail", "err", err)
	}
	for _, info := range infos {
		if p, err := identity.KeyOf(info.ID); err == nil {
			n.host.Peerstore().AddAddrs(info.ID, info.Addrs, foundLife)
			all = append(all, p)
		}
	}
	return all
}

// foundLife is for how long addresses that came with providers are good.
const foundLife = 10 * time.Minute

// holderCandidates are the nodes that offer to keep things for others, as far as
// this node knows, without looking for more, and this node itself.
func (n *Node) holderCandidates(recipient Peer) (all []backup.Candidate) {
	known, near := make(map[Peer]bool), n.near(recipient)
	add := func(p Peer, addrs []multiaddr.Multiaddr) {
		if known[p] || p == recipient || p == n.identity.Public() {
			return
		}
		known[p] = true
		c := backup.Candidate{
			Key: p, Place: placeOf(addrs), Near: near[p],
			Offers: n.presence.Offers(p, heartbeat.RoleBackup),
		}
		id, now := identity.PeerIDOf(p), n.clock.Now()
		c.Uptime = n.cache.Uptime(id, now)
		if first := n.cache.First(id); !first.IsZero() {
			c.Known = now.Sub(first)
		}
		all = append(all, c)
	}
	if recipient != n.identity.Public() {
		all = append(all, backup.Candidate{Key: n.identity.Public(), Place: placeOf(n.host.Addrs())})
	}
	for p := range near {
		add(p, n.dialAddrs(p))
	}
	for _, l := range n.links.Peers() {
		if n.hellos.offers(l.Peer, heartbeat.RoleBackup) {
			add(l.Peer, []multiaddr.Multiaddr{l.Addr})
		}
	}
	for _, info := range n.finder.Offering(heartbeat.RoleBackup, maxHolderCandidates) {
		if p, err := identity.KeyOf(info.ID); err == nil {
			add(p, info.Addrs)
		}
	}
	return all
}

// near are the nodes that keep a recipient's mail before all others: those its
// presence names; for this node itself, its contacts.
func (n *Node) near(recipient Peer) map[Peer]bool {
	all := make(map[Peer]bool)
	if recipient != n.identity.Public() {
		for _, p := range n.presence.Holders(recipient) {
			all[p] = true
		}
		return all
	}
	for _, c := range n.store.Contacts() {
		if len(all) < maxNear && c.Name != "" && !n.store.Muted(c.Key) {
			all[c.Key] = true
		}
	}
	return all
}

// maxNear is how many contacts are asked for mail before others.
const maxNear = 16

// nearHolders are the contacts that this node wants its mail kept by: those that
// offer it.
func (n *Node) nearHolders() (all []Peer) {
	for _, c := range n.store.Contacts() {
		if len(all) < presence.MaxHolders && c.Name != "" && n.hellos.offers(c.Key, heartbeat.RoleBackup) {
			all = append(all, c.Key)
		}
	}
	return all
}

// placeOf is the network of a node that may hold mail, as far as its addresses
// tell: the one it has among all rather than the one at home.
func placeOf(addrs []multiaddr.Multiaddr) backup.Place {
	if all := networksOf(identity.SelectAddrs(addrs)); len(all) > 0 {
		return backup.Place(all[0])
	}
	return ""
}

// roles are those that this node offers to its neighbours.
func (n *Node) roles() []uint8 {
	roles := slices.Clone(n.relay.Roles())
	if n.holder.Role() {
		roles = append(roles, heartbeat.RoleBackup)
	}
	return roles
}

// announcedRoles are those that this node offers to everybody: to keep things
// only if it can be counted on.
func (n *Node) announcedRoles() []uint8 {
	if n.cfg.backup == holder.On || n.reach.Public() {
		return n.roles()
	}
	return n.relay.Roles()
}

// admission lets a friend have more room for its messages to this node with
// holders than strangers have; nil for a stranger.
func (n *Node) admission(p Peer) []byte {
	if n.store.Stranger(p) {
		return nil
	}
	until := n.clock.Now().Add(backup.AdmissionLife)
	return backup.SignAdmission(n.signer, backup.Admission{Sender: p, Until: uint64(until.UnixMilli())})
}

// admitted keeps the admission that a peer gave this node.
func (n *Node) admitted(p Peer, raw []byte) {
	if len(raw) == 0 {
		return
	}
	a, err := backup.ParseAdmission(n.cfg.network, raw)
	if err != nil || a.Recipient != p || a.Sender != n.identity.Public() {
		logger.Debugw("not an admission for this node", "peer", p, "err", err)
		return
	}
	until := a.UntilAt()
	if latest := n.clock.Now().Add(backup.AdmissionLife); until.After(latest) {
		until = latest
	}
	n.store.SaveAdmission(p, raw, until)
}

// leave hands over what this node does and keeps for others, if there is anybody.
func (n *Node) leave(ctx context.Context) {
	if len(n.links.Peers()) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handOver)
	defer cancel()
	n.groups.Resign(ctx)
	n.holder.Leave(ctx)
}
