package discovery

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/presence"
)

// Offer is what a node says of itself.
type Offer struct {
	Roles   []uint8 // ascending; none: it has nothing to offer
	Addrs   []multiaddr.Multiaddr
	Load    uint8
	Holders []protocols.Key
}

// PresenceConfig says how a node takes part in presence. Host and Signer are
// needed; the zero value of any other field works.
type PresenceConfig struct {
	Host    host.Host
	Network protocols.Network // Main if empty

	// Holders are those who should keep mail for this node while it is away.
	// Only friends are told: who they are is not for everybody. nil: nobody.
	Holders func() []protocols.Key

	Signer protocols.Signer

	// Offer is what this node says of itself now; nil: it has nothing to offer.
	Offer func() Offer
	// Heard is called for each presence that is new; it must not block; nil: nobody is told.
	Heard func(*presence.Presence)

	// Kin says that a neighbour shares another topic of gossip with this node: it
	// belongs to those it gossips with. It is asked often, must be quick and must
	// not call Presence; nil: nobody does.
	Kin func(peer.ID) bool

	Now        func() time.Time // wall clock; time.Now if nil
	Registerer prometheus.Registerer
}

// Presence is a source that knows the nodes that offer a role, from what they
// say on the presence topic. It names nobody by itself: whoever needs a role
// asks Offering.
type Presence struct {
	cfg    PresenceConfig
	book   *book
	count  *presenceCounters
	topics *Topics

	mu   sync.Mutex
	made uint64 // the newest made-at of ours
}

// NewPresence makes a source that follows the presence topic while it runs.
func NewPresence(cfg PresenceConfig) *Presence {
	if cfg.Network == "" {
		cfg.Network = protocols.Main
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Presence{cfg: cfg, book: newBook(cfg.Network, cfg.Signer.Public(), cfg.Now), topics: newTopics(cfg.Network, cfg.Host.ID())}
	p.count = newPresenceCounters(cfg.Registerer, p.book.size)
	return p
}

// Topics are other topics on the same gossip.
func (p *Presence) Topics() *Topics { return p.topics }

// Name implements Source.
func (*Presence) Name() string { return "presence" }

// Run implements Source.
func (p *Presence) Run(ctx context.Context, _ func(peer.AddrInfo)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	circle, err := newCircled(p.cfg.Host, p.cfg.Kin)
	if err != nil {
		return err
	}
	ps, err := newGossip(ctx, circle, p.cfg.Network)
	if err != nil {
		return err
	}
	topic, sub, err := followPresence(p.cfg.Host.ID(), ps, p.cfg.Network, p.judge)
	if err != nil {
		return err
	}
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { circle.run(ctx) })
	parts.Go(func() { drain(ctx, sub) })
	parts.Go(func() { p.topics.run(ctx, ps) })
	p.announce(ctx, topic, circle.look)
	return nil
}

// drain takes what the validator has dealt with.
func drain(ctx context.Context, sub *pubsub.Subscription) {
	for {
		if _, err := sub.Next(ctx); err != nil {
			return
		}
	}
}

func (p *Presence) judge(from peer.ID, raw []byte) verdict {
	heard, v := p.book.take(from, raw)
	p.count.judged(v, len(raw))
	if v == accepted && p.cfg.Heard != nil {
		p.cfg.Heard(heard)
	}
	return v
}

// lookAgain is how often this node looks whether what it offers has changed.
const lookAgain = 15 * time.Second

// announce says what this node offers, when it is time, until ctx ends. look is
// called now and then.
func (p *Presence) announce(ctx context.Context, topic *pubsub.Topic, look func()) {
	a := announcer{spread: rand.Float64()}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		look()
		offer := p.offer()
		what, now, n := offer.digest(), time.Now(), p.book.size()
		if due := a.due(now, what, n); due.IsZero() || now.Before(due) {
			continue
		}
		if len(topic.ListPeers()) == 0 {
			continue // nobody to hear it
		}
		raw := p.sign(offer, presenceLives*presenceInterval(n))
		if err := topic.Publish(ctx, raw); err != nil {
			logger.Debugw("presence not published", "err", err)
			continue
		}
		p.count.own.Inc()
		a.spoke(now, what)
	}
}

func (p *Presence) offer() Offer {
	if p.cfg.Offer == nil {
		return Offer{}
	}
	return p.cfg.Offer()
}

// digest is what others should hear of soon if it changes; nil if nothing is on
// offer.
func (o Offer) digest() []byte {
	if len(o.Roles) == 0 {
		return nil
	}
	b := append([]byte{byte(len(o.Roles))}, o.Roles...)
	addrs := slices.Clone(o.Addrs)
	slices.SortFunc(addrs, func(x, y multiaddr.Multiaddr) int { return cmp.Compare(x.String(), y.String()) })
	for _, a := range addrs {
		b = append(binary.AppendUvarint(b, uint64(len(a.Bytes()))), a.Bytes()...)
	}
	return b
}

// friendLife is how long what is said to friends is good for, unless something
// newer is said.
const friendLife = 12 * time.Hour

// Own returns this node's signed presence, for friends.
func (p *Presence) Own() []byte {
	o := p.offer()
	if p.cfg.Holders != nil {
		o.Holders = p.cfg.Holders()
	}
	return p.sign(o, friendLife)
}

// toldLife is how long the addresses stay that a neighbour has told of itself,
// unless it tells others. Nothing else in the peerstore has this span of life,
// by which they are found to be replaced.
const toldLife = 31 * time.Minute

// Told takes in a presence that a neighbour told this node over their
// connection, if it is its own or of somebody who is wanted, and says of whom it
// is. It is known to this node alone; but who asks this node where that
// neighbour is gets what it has told last. (Libp2p's identify would do, but
// takes in few changes from all who share one address.)
func (p *Presence) Told(from protocols.Key, raw []byte, wanted func(protocols.Key) bool) (of protocols.Key, ok bool) {
	said, v := p.book.tell(identity.PeerIDOf(from), raw, wanted)
	p.count.judged(v, len(raw))
	if v != accepted {
		return protocols.Key{}, false
	}
	if said.Node == from {
		p.note(said)
	}
	return said.Node, true
}

// note puts the addresses of a neighbour's presence where identify puts them.
func (p *Presence) note(said *presence.Presence) {
	id, known := identity.PeerIDOf(said.Node), p.cfg.Host.Peerstore()
	life := time.UnixMilli(int64(said.Until)).Sub(p.cfg.Now())
	known.UpdateAddrs(id, toldLife, 0)
	known.AddAddrs(id, addrsIn(said), min(life, toldLife))
}

// sign makes a presence that is newer than all before.
func (p *Presence) sign(o Offer, life time.Duration) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = max(p.made+1, uint64(p.cfg.Now().UnixMilli()))
	s := presence.Presence{Made: p.made, Until: p.made + uint64(min(life, presence.MaxLife).Milliseconds()), Load: o.Load}
	for _, r := range o.Roles[:min(len(o.Roles), presence.MaxRoles)] {
		s.Roles = append(s.Roles, presence.Role{Role: r, Until: s.Until})
	}
	for _, a := range o.Addrs {
		if b := a.Bytes(); len(b) > 0 && len(b) <= presence.MaxAddr && len(s.Addrs) < presence.MaxAddrs {
			s.Addrs = append(s.Addrs, b)
		}
	}
	s.Holders = o.Holders[:min(len(o.Holders), presence.MaxHolders)]
	return presence.Sign(p.cfg.Signer, s)
}

// Find implements Finder.
func (p *Presence) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	k, err := identity.KeyOf(id)
	if err != nil {
		return nil, fmt.Errorf("whose presence: %w", err)
	}
	return foundOrNot(p.book.addrs(k))
}

// Addrs are the addresses at which a node says it is, nil if it says nothing.
func (p *Presence) Addrs(k protocols.Key) []multiaddr.Multiaddr { return p.book.addrs(k) }

// Offers says that a node claims to offer a role now.
func (p *Presence) Offers(k protocols.Key, role uint8) bool {
	said := p.book.current(k)
	return said != nil && said.Offers(role, p.cfg.Now())
}

// Holders are those who keep mail for a node while it is away, as it says.
func (p *Presence) Holders(k protocols.Key) []protocols.Key {
	if said := p.book.current(k); said != nil {
		return said.Holders
	}
	return nil
}

// Load is how busy a node says it is, from 0 to 255; 0 if it says nothing.
func (p *Presence) Load(k protocols.Key) uint8 {
	if said := p.book.current(k); said != nil {
		return said.Load
	}
	return 0
}

// Made is when each node that says where it is has said so last.
func (p *Presence) Made() map[peer.ID]time.Time { return p.book.made() }

// Offering implements Offering: those least loaded first.
func (p *Presence) Offering(role uint8) []peer.AddrInfo {
	pages := p.book.offering(role)
	rand.Shuffle(len(pages), func(i, j int) { pages[i], pages[j] = pages[j], pages[i] })
	slices.SortStableFunc(pages, func(a, b page) int { return cmp.Compare(a.Load/32, b.Load/32) })
	infos := make([]peer.AddrInfo, len(pages))
	for i, pg := range pages {
		infos[i] = pg.info()
	}
	return infos
}
