package node

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/node/courier"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/proof"
	"github.com/tom-protocol/tom/relay/role"
)

// Groups are this node's groups.
func (n *Node) Groups() *groups.Service { return n.groups }

// newGroups connects the groups with the disk, the courier and the lines.
func (n *Node) newGroups() (*groups.Service, error) {
	return groups.New(groups.Config{
		Signer: n.signer, Verifier: n.cfg.network, Prover: proof.NewVerifier(n.cfg.network),
		Lines: n.links, Rows: groupRows{n.store}, Shred: n.vault,
		Ratchets: identity.OpenRatchets(n.cfg.DataDir), Now: n.clock.Now,
		Post:  n.postOwn,
		Name:  func() string { return n.cfg.Name },
		Addrs: n.invitationAddrs, Learn: n.learnAddrs,
		Boxes: boxes{n}, Topics: n.presence.Topics(), Serving: n.serving(),
		Kin: n.kin, Agreed: n.clock.Agreed, Notify: n.groupNews.note, Registerer: n.cfg.Registry,
	})
}

// kin holds on to a neighbour for as long as it is in a group with this node: the
// hub of a large one has more of them than it would keep of others.
func (n *Node) kin(p Peer, is bool) {
	id := identity.PeerIDOf(p)
	switch {
	case !is:
		n.host.ConnManager().Unprotect(id, "group")
	case n.links.Connected(p):
		n.host.ConnManager().Protect(id, "group")
	}
}

// serving is on what terms this node serves groups that it is not in; nil if its
// user forbids it.
func (n *Node) serving() *groups.Serving {
	if n.cfg.hub == role.Off {
		return nil
	}
	return &groups.Serving{
		Stranger: n.store.Stranger,
		Takes: func(by Peer) bool {
			return n.cfg.hub == role.On || n.reach.Public() && !n.store.Stranger(by)
		},
	}
}

// postOwn sends a message of the protocol's own.
func (n *Node) postOwn(ctx context.Context, to Peer, contentType string, body []byte) error {
	_, err := n.courier.SendOwn(ctx, courier.Draft{To: to, Type: contentType, Body: body})
	return err
}

// boxes is the courier, which is made before the groups, as they see it.
type boxes struct{ n *Node }

func (b boxes) Seal(to []Peer, contentType string, body []byte, life time.Duration) map[Peer][]byte {
	return b.n.courier.Box(to, contentType, body, life)
}

func (b boxes) Open(e *envelope.Envelope) (contentType string, body []byte, err error) {
	return b.n.courier.Unbox(e)
}

func (b boxes) Prekeys(p Peer) []byte      { return b.n.courier.PrekeysOf(p) }
func (b boxes) Learn(told map[Peer][]byte) { b.n.courier.LearnAllPrekeys(told) }

// groupRows is the store as groups see it.
type groupRows struct{ s *store.Store }

func (r groupRows) Apply(puts []groups.Row, deletes [][]byte) error {
	return r.s.ApplyGroups(puts, deletes)
}

func (r groupRows) Get(key []byte) ([]byte, bool, error) { return r.s.GroupRow(key) }

func (r groupRows) Scan(prefix []byte, fn func(key, value []byte) error) error {
	return r.s.ScanGroups(prefix, fn)
}

// invitationAddrs are this node's addresses as they go into invitations.
func (n *Node) invitationAddrs() [][]byte {
	own, err := multiaddr.NewComponent("p2p", n.ID())
	if err != nil {
		return nil
	}
	list := [][]byte{}
	for _, a := range n.addrsForAll() {
		list = append(list, a.Encapsulate(own.Multiaddr()).Bytes())
	}
	return list
}

// learnedFor is how long addresses out of an invitation are kept for dialling.
const learnedFor = time.Hour

// learnAddrs takes addresses out of an invitation, and says whose they are.
func (n *Node) learnAddrs(list [][]byte) []Peer {
	peers := []Peer{}
	seen := make(map[Peer]bool)
	for _, b := range list {
		a, err := multiaddr.NewMultiaddrBytes(b)
		if err != nil {
			continue
		}
		info, err := peer.AddrInfoFromP2pAddr(a)
		if err != nil {
			continue
		}
		p, err := identity.KeyOf(info.ID)
		if err != nil || p == n.Key() {
			continue
		}
		n.host.Peerstore().AddAddrs(info.ID, info.Addrs, learnedFor)
		if !seen[p] {
			seen[p] = true
			peers = append(peers, p)
		}
	}
	return peers
}
