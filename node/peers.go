package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/node/store"
)

// PeerInfo is what is known of a connected peer.
type PeerInfo struct {
	Peer      Peer
	Name      string        // see NameOf
	Path      string        // direct or relayed
	Via       Peer          // the relay; zero if direct, or a relay that is no node of ours
	Transport string        // what carries it: quic, tcp, …
	Load      uint8         // how busy it says it is, 255 the most
	Left      int64         // bytes that the relay still lets through; -1: no limit
	Ends      time.Time     // when the relay ends the circuit; zero: never
	RTT       time.Duration // the newest measured; zero: none yet
	Since     time.Time
	Addr      multiaddr.Multiaddr
}

// Peers lists who is connected.
func (n *Node) Peers() []PeerInfo {
	all := n.links.Peers()
	infos := make([]PeerInfo, len(all))
	for i, l := range all {
		infos[i] = n.peerInfo(l)
	}
	return infos
}

func (n *Node) peerInfo(l links.Info) PeerInfo {
	return PeerInfo{Peer: l.Peer, Name: n.NameOf(l.Peer), Path: l.Path.String(), Via: l.Path.Via, Transport: l.Path.Transport, Load: l.Load, Left: l.Left, Ends: l.Ends, RTT: l.RTT, Since: l.Since, Addr: l.Addr}
}

// Connect dials a multiaddr that ends in /p2p/…, a contact link, or anything
// else that names a peer whose address is known, and returns who answered.
func (n *Node) Connect(ctx context.Context, target string) (Peer, error) {
	info, err := n.target(target)
	if err != nil {
		return Peer{}, err
	}
	p, err := identity.KeyOf(info.ID)
	if err != nil {
		return Peer{}, &UnknownPeerError{Name: target, Err: err}
	}
	if p == n.identity.Public() {
		return p, ErrSelf
	}
	return p, n.links.ConnectAddr(ctx, info)
}

func (n *Node) target(target string) (peer.AddrInfo, error) {
	if len(target) > 0 && target[0] == '/' {
		info, err := peer.AddrInfoFromString(target)
		if err != nil {
			return peer.AddrInfo{}, &UnknownPeerError{Name: target, Err: err}
		}
		return *info, nil
	}
	p, err := n.Resolve(target)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	info := peer.AddrInfo{ID: identity.PeerIDOf(p), Addrs: n.addrsOf(p)}
	if link, err := identity.ParseLink(target); err == nil {
		info.Addrs = append(info.Addrs, link.Addrs...)
	}
	return info, nil
}

// Resolve finds the peer that a petname, peer id or contact link stands for. A
// link's addresses are remembered for the next dial.
func (n *Node) Resolve(name string) (Peer, error) {
	for _, c := range n.store.Contacts() {
		if c.Name != "" && c.Name == name {
			return c.Key, nil
		}
	}
	if identity.IsLink(name) {
		link, err := identity.ParseLink(name)
		if err != nil {
			return Peer{}, &UnknownPeerError{Name: name, Err: err}
		}
		n.remember(link)
		return link.Peer, nil
	}
	id, err := peer.Decode(name)
	if err != nil {
		return Peer{}, &UnknownPeerError{Name: name}
	}
	p, err := identity.KeyOf(id)
	if err != nil {
		return Peer{}, &UnknownPeerError{Name: name, Err: err}
	}
	return p, nil
}

// linkAddrLife is how long the addresses of a link are tried that is not a
// contact's: as long as a message to it lives.
const linkAddrLife = 24 * time.Hour

func (n *Node) remember(link identity.Link) {
	if link.Peer != n.identity.Public() {
		n.host.Peerstore().AddAddrs(identity.PeerIDOf(link.Peer), link.Addrs, linkAddrLife)
	}
}

// addrsOf are the addresses the user gave of a contact.
func (n *Node) addrsOf(p Peer) []multiaddr.Multiaddr {
	c, ok := n.store.Contact(p)
	if !ok {
		return nil
	}
	var addrs []multiaddr.Multiaddr
	for _, b := range c.Addrs {
		if a, err := multiaddr.NewMultiaddrBytes(b); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// NameOf is the petname of a peer, or the name it claims with a question mark,
// or nothing.
func (n *Node) NameOf(p Peer) string {
	if c, ok := n.store.Contact(p); ok && c.Name != "" {
		return c.Name
	}
	if claim := n.hellos.name(p); claim != "" {
		return claim + "?"
	}
	return ""
}

// Contact is a peer the user has named, or muted.
type Contact struct {
	Peer  Peer
	Name  string
	Addrs []multiaddr.Multiaddr
	Muted bool
	Added time.Time // zero for a muted peer that is no contact

	Presence Presence
	Seen     time.Time // its newest sign of life; zero: none since this node runs
}

// Errors of contacts.
var (
	ErrNameTaken = store.ErrNameTaken
	ErrNoContact = errors.New("no such contact")
	ErrNoName    = errors.New("a contact needs a petname, and the link has none")
	ErrPetname   = errors.New("a petname is 1 to 64 bytes of plain text that does not look like a peer id, link, address, flag or claimed name")
)

// Contacts lists contacts and muted peers, by petname.
func (n *Node) Contacts() []Contact {
	rows := n.store.Contacts()
	all := make([]Contact, len(rows))
	for i, c := range rows {
		all[i] = n.contact(c)
	}
	return all
}

func (n *Node) contact(c store.Contact) Contact {
	state, _, seen := n.links.StateOf(c.Key)
	return Contact{
		Presence: state, Seen: seen,
		Peer: c.Key, Name: c.Name, Addrs: n.addrsOf(c.Key), Muted: c.Muted, Added: c.Added,
	}
}

// AddContact gives a peer id or contact link a petname; an empty one stands for
// the name in the link. A contact is no stranger.
func (n *Node) AddContact(target, petname string) (Contact, error) {
	p, err := n.Resolve(target)
	if err != nil {
		return Contact{}, err
	}
	if p == n.identity.Public() {
		return Contact{}, ErrSelf
	}
	c, known := n.store.Contact(p)
	if link, err := identity.ParseLink(target); err == nil {
		if petname == "" {
			petname = link.Name
		}
		c.Addrs = nil
		for _, a := range link.Addrs {
			c.Addrs = append(c.Addrs, a.Bytes())
		}
	}
	if petname == "" {
		return Contact{}, ErrNoName
	}
	if err := checkPetname(petname); err != nil {
		return Contact{}, err
	}
	if !known || c.Added.IsZero() {
		c.Added = n.clock.Now()
	}
	c.Key, c.Name = p, petname
	return n.saveContact(c)
}

func (n *Node) saveContact(c store.Contact) (Contact, error) {
	if err := n.store.SaveContact(c); err != nil {
		return Contact{}, fmt.Errorf("save contact: %w", err)
	}
	n.links.Reconsider(c.Key)
	return n.contact(c), nil
}

// RemoveContact forgets a contact, its mute too.
func (n *Node) RemoveContact(name string) (Contact, error) {
	c, err := n.namedContact(name)
	if err != nil {
		return Contact{}, err
	}
	gone := n.contact(c)
	return gone, n.store.RemoveContact(c.Key)
}

// RenameContact changes a petname.
func (n *Node) RenameContact(name, petname string) (Contact, error) {
	if err := checkPetname(petname); err != nil {
		return Contact{}, err
	}
	c, err := n.namedContact(name)
	if err != nil {
		return Contact{}, err
	}
	c.Name = petname
	return n.saveContact(c)
}

func (n *Node) namedContact(name string) (store.Contact, error) {
	p, err := n.Resolve(name)
	if err != nil {
		return store.Contact{}, err
	}
	c, ok := n.store.Contact(p)
	if !ok {
		return store.Contact{}, ErrNoContact
	}
	return c, nil
}

// Mute mutes or unmutes any peer: what a muted one sends is receipted as usual,
// raises no event and is listed only among the requests.
func (n *Node) Mute(name string, muted bool) (Contact, error) {
	p, err := n.Resolve(name)
	if err != nil {
		return Contact{}, err
	}
	c, _ := n.store.Contact(p)
	c.Key, c.Muted = p, muted
	if !muted && c.Name == "" {
		if err := n.store.RemoveContact(p); err != nil && !errors.Is(err, store.ErrNotFound) {
			return Contact{}, err
		}
		return n.contact(c), nil
	}
	return n.saveContact(c)
}
