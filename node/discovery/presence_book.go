package discovery

import (
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/presence"
)

// Limits of the book of presences.
const (
	maxPresences     = 1000
	originGap        = 4 * time.Minute // between two of one origin; it waits five
	neighbourRate    = 2               // presences a second that one neighbour may pass on, in the long run
	neighbourBurst   = 300
	allRate          = 10 // a second, of all neighbours together
	allBurst         = 1500
	maxNeighbourRate = 1024 // neighbours whose rate is kept
	maxTold          = 512  // friends who said where they are
)

// verdict is what becomes of a presence that somebody passes on.
type verdict string

const (
	accepted verdict = "accepted"
	forged   verdict = "forged" // no acceptable presence at all
	old      verdict = "old"    // not newer than the one that is known
	often    verdict = "often"  // too soon after it
	idle     verdict = "idle"   // offers nothing, and revokes nothing
	flood    verdict = "flood"  // too many from this neighbour, or from all
	own      verdict = "own"    // this node's, which comes back
)

// book holds the newest presence of each node that offers a role.
type book struct {
	network protocols.Network
	self    protocols.Key
	now     func() time.Time // wall clock

	mu    sync.Mutex
	pages map[protocols.Key]page
	told  map[protocols.Key]page // what friends said over connections
	rates map[peer.ID]*rate.Limiter
	all   *rate.Limiter
}

// page is one node's.
type page struct {
	*presence.Presence
	group netip.Prefix
	taken time.Time // by the monotonic clock
}

func newBook(n protocols.Network, self protocols.Key, now func() time.Time) *book {
	return &book{
		network: n, self: self, now: now, pages: make(map[protocols.Key]page),
		told: make(map[protocols.Key]page), rates: make(map[peer.ID]*rate.Limiter), all: rate.NewLimiter(allRate, allBurst),
	}
}

// take judges a presence that a neighbour passed on, and keeps it if it is new.
func (b *book) take(from peer.ID, raw []byte) (*presence.Presence, verdict) {
	if !b.mayAsk(from) {
		return nil, flood
	}
	p, err := presence.Parse(b.network, raw, b.now())
	if err != nil {
		return nil, forged
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known, met := b.pages[p.Node]
	switch {
	case p.Node == b.self:
		return nil, own
	case met && !p.Newer(known.Presence):
		return nil, old
	case met && time.Since(known.taken) < originGap:
		return nil, often
	case !met && len(p.Roles) == 0:
		return nil, idle
	}
	b.keep(p)
	return p, accepted
}

// tell takes in what was said over a connection of somebody who is wanted. What
// a neighbour says of itself is accepted in any case, and kept only if wanted.
func (b *book) tell(from peer.ID, raw []byte, wanted func(protocols.Key) bool) (*presence.Presence, verdict) {
	if !b.mayAsk(from) {
		return nil, flood
	}
	p, err := presence.Parse(b.network, raw, b.now())
	switch {
	case err != nil:
		return nil, forged
	case p.Node == b.self:
		return nil, own
	case !wanted(p.Node) && identity.PeerIDOf(p.Node) == from:
		return p, accepted
	case !wanted(p.Node):
		return nil, idle
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known, met := b.told[p.Node]
	if met && !p.Newer(known.Presence) {
		return nil, old
	}
	for other := range b.told {
		if met || len(b.told) < maxTold {
			break
		}
		delete(b.told, other)
	}
	b.told[p.Node] = page{Presence: p, taken: time.Now()}
	return p, accepted
}

// mayAsk spends of what a neighbour, and all of them, may make this node
// verify.
func (b *book) mayAsk(from peer.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.rates[from]
	if l == nil {
		for other := range b.rates {
			if len(b.rates) < maxNeighbourRate {
				break
			}
			delete(b.rates, other)
		}
		l = rate.NewLimiter(neighbourRate, neighbourBurst)
		b.rates[from] = l
	}
	return l.Allow() && b.all.Allow()
}

// keep puts a presence into the book; mu is held. One that revokes stays too,
// until its end: it keeps older ones out.
func (b *book) keep(p *presence.Presence) {
	b.pages[p.Node] = page{Presence: p, group: groupOf(addrsIn(p)), taken: time.Now()}
	if len(b.pages) > maxPresences {
		b.dropOver()
	}
	if len(b.pages) > maxPresences {
		b.dropOne()
	}
}

// dropOver forgets those that are over; mu is held.
func (b *book) dropOver() {
	now := b.now()
	for k, pg := range b.pages {
		if !now.Before(pg.End()) {
			delete(b.pages, k)
		}
	}
}

// dropOne forgets the oldest of the largest group, so that a crowd behind one
// network does not push out the rest; mu is held.
func (b *book) dropOne() {
	sizes := make(map[netip.Prefix]int)
	for _, pg := range b.pages {
		sizes[pg.group]++
	}
	var worst protocols.Key
	var found bool
	for k, pg := range b.pages {
		w := b.pages[worst]
		if !found || sizes[pg.group] > sizes[w.group] || sizes[pg.group] == sizes[w.group] && pg.taken.Before(w.taken) {
			worst, found = k, true
		}
	}
	delete(b.pages, worst)
}

// offering lists who offers a role now.
func (b *book) offering(role uint8) (all []page) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pg := range b.pages {
		if pg.Offers(role, now) && len(pg.Addrs) > 0 {
			all = append(all, pg)
		}
	}
	return all
}

// size is how many nodes offer something now.
func (b *book) size() (n int) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pg := range b.pages {
		if len(pg.Roles) > 0 && now.Before(pg.End()) {
			n++
		}
	}
	return n
}

// newest is the newest that a node has said, to all or to us, if it is in force;
// mu is held.
func (b *book) newest(k protocols.Key, now time.Time) (best page, ok bool) {
	for _, pages := range []map[protocols.Key]page{b.pages, b.told} {
		pg, there := pages[k]
		if there && now.Before(pg.End()) && (!ok || pg.Newer(best.Presence)) {
			best, ok = pg, true
		}
	}
	return best, ok
}

// made is when what is in force was said.
func (b *book) made() map[peer.ID]time.Time {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[peer.ID]time.Time, len(b.pages))
	for _, pages := range []map[protocols.Key]page{b.pages, b.told} {
		for k, pg := range pages {
			id, at := identity.PeerIDOf(k), time.UnixMilli(int64(pg.Made))
			if now.Before(pg.End()) && at.After(all[id]) {
				all[id] = at
			}
		}
	}
	return all
}

// addrs is where a node says it is.
func (b *book) addrs(k protocols.Key) []multiaddr.Multiaddr {
	now := b.now()
	b.mu.Lock()
	pg, ok := b.newest(k, now)
	b.mu.Unlock()
	if !ok {
		return nil
	}
	return addrsIn(pg.Presence)
}

// current is what a node says, nil if that is nothing now.
func (b *book) current(k protocols.Key) *presence.Presence {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	pg, _ := b.newest(k, now)
	return pg.Presence
}

// addrsIn reads the addresses of a presence, without what is none.
func addrsIn(p *presence.Presence) (addrs []multiaddr.Multiaddr) {
	for _, raw := range p.Addrs {
		if a, err := multiaddr.NewMultiaddrBytes(raw); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// groupOf is the network that the first address with an IP is in: a /24, or a
// /48.
func groupOf(addrs []multiaddr.Multiaddr) netip.Prefix {
	for _, a := range addrs {
		ip, err := manet.ToIP(a)
		if err != nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(ip)
		if !ok {
			continue
		}
		addr = addr.Unmap()
		bits := 48
		if addr.Is4() {
			bits = 24
		}
		if p, err := addr.Prefix(bits); err == nil {
			return p
		}
	}
	return netip.Prefix{}
}

func (pg page) info() peer.AddrInfo {
	return peer.AddrInfo{ID: identity.PeerIDOf(pg.Node), Addrs: addrsIn(pg.Presence)}
}
