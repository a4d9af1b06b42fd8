package groups

import (
	"context"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/hub"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// A node may serve groups that it is not in: an admin lists it as a relay that may
// be hub, and the hub offers it a seat. It has no keys and can read nothing; it
// writes nothing, and is told of nothing. What it takes upon itself has bounds, and
// who runs into them is told.

// Serving says on what terms a node serves groups that it is not in.
type Serving struct {
	// Takes says whether to begin with a group whose admin by listed this node.
	Takes func(by protocols.Key) bool
	// Stranger says whether this node has nothing to do with an admin else.
	Stranger func(by protocols.Key) bool
}

// Bounds of what a node serves.
const (
	maxServed     = 32        // groups
	maxServedFor  = 4         // of them listed by one admin
	maxServedNew  = 8         // of them listed by strangers, together
	maxServedLog  = 16 << 20  // bytes of one group's log
	maxServedLogs = 128 << 20 // of all
	servedIdle    = Life      // after which a group of which no member was heard is let go
	maxDeclined   = 1024      // groups that were too large, and are remembered
	declinedFor   = time.Hour

	offerBurst = 16 // offers that are looked at, of all together
	offerEvery = 100 * time.Millisecond
)

// servedLimits are those of a group that a node leads without being in it.
var servedLimits = hub.Limits{Rate: 200, Burst: 2_000, Bytes: 1 << 20, Flood: 8 << 20, Others: 200, Together: 500, Tail: 20_000, TailBytes: 8 << 20}

// served is what a node serves.
type served struct {
	allow    *rate.Limiter
	declined map[wire.GroupID]time.Time // until when
}

func newServed() served {
	return served{allow: rate.NewLimiter(rate.Every(offerEvery), offerBurst), declined: make(map[wire.GroupID]time.Time)}
}

// serves says that the room is of a group that this node is not in.
func (p *place) serves() bool { return p.Lister != (protocols.Key{}) }

// offered takes the offer of a seat. One in a group that this node is in, or serves
// already, says whom its sender follows.
func (s *Service) offered(in Inbound, id wire.GroupID, f *wire.Offer) error {
	if r := s.seated(id); r != nil && (!r.place.serves() || !r.forlorn()) {
		r.receive(in, f)
		return nil
	}
	s.mu.Lock()
	joining := s.joining[id] != nil
	s.mu.Unlock()
	if joining {
		return nil // as a member it needs no seat
	}
	if !s.served.allow.Allow() {
		s.count.frameLeft()
		return nil
	}
	o, err := seat.ParseOffer(s.cfg.Verifier, s.cfg.Prover, s.self, f)
	if err != nil || o.Branch.Primary() == s.self { // it was hub, and has lost the log
		return err
	}
	if reason := s.declines(o); reason != 0 {
		logger.Debugw("offer declined", "group", id, "admin", o.Lister, "reason", reason)
		s.decline(in.Peer(), id, reason)
		return nil
	}
	return s.serve(o)
}

// forlorn says that the seat has not got anywhere: another offer knows better whom
// to follow.
func (r *room) forlorn() (yes bool) {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	return r.see(ctx, func(now time.Time) { yes = r.seat.Forlorn(now) }) == nil && yes
}

// decline tells who offers a seat why this node does not take it.
func (s *Service) decline(to protocols.Key, id wire.GroupID, why envelope.Reason) {
	s.dialer.send(to, outbound{frame: wire.AppendFrame(nil, &wire.Refused{Group: id, Reason: why})})
}

// declines says why a seat is not taken; 0: it is.
func (s *Service) declines(o *seat.Offered) envelope.Reason {
	if s.cfg.Serving == nil || !s.cfg.Serving.Takes(o.Lister) {
		return envelope.ReasonPolicy
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Now().Before(s.served.declined[o.Charter.Group()]) {
		return envelope.ReasonSize
	}
	all, his, strangers, bytes := 0, 0, 0, int64(0)
	for _, r := range s.rooms {
		if !r.place.serves() || r.id == o.Charter.Group() {
			continue
		}
		all, bytes = all+1, bytes+r.size.Load()
		if r.place.Lister == o.Lister {
			his++
		}
		if s.cfg.Serving.Stranger(r.place.Lister) {
			strangers++
		}
	}
	if all >= maxServed || his >= maxServedFor || bytes > maxServedLogs-maxServedLog || s.cfg.Serving.Stranger(o.Lister) && strangers >= maxServedNew {
		return envelope.ReasonQuota
	}
	return 0
}

// serve takes a seat that is offered.
func (s *Service) serve(o *seat.Offered) error {
	id := o.Charter.Group()
	s.unserve(id)
	r := s.newRoom(o.Charter, place{Charter: o.Charter.Bytes(), Lister: o.Lister, Since: s.cfg.Now()})
	if err := s.found(r, seat.Disk{Failover: failover.Durable{Current: o.Branch}}); err != nil {
		return err
	}
	logger.Infow("group served", "group", id, "admin", o.Lister)
	return s.admit(r)
}

// unserve ends what this node does for a group that it is not in, and returns when
// nothing of that is left.
func (s *Service) unserve(id wire.GroupID) {
	r := s.seated(id)
	if r == nil || !r.place.serves() {
		return
	}
	r.post(func(now time.Time) { r.leave(now) })
	<-r.closed
}

// review sees whether this node goes on serving a group.
func (r *room) review(now time.Time) {
	size := int64(r.seat.Ledger().Log().Size())
	r.size.Store(size)
	if !r.place.serves() || r.leaving {
		return
	}
	if size > maxServedLog {
		r.s.declineFor(r.id, now.Add(declinedFor))
		r.s.decline(r.seat.Branch().Primary(), r.id, envelope.ReasonSize)
		r.leave(now)
		return
	}
	if !r.seat.Leads() && r.seat.Heard().After(r.alive) {
		r.alive = r.seat.Heard()
	}
	if r.alive.IsZero() { // since it began, or began again
		r.alive = now
	}
	if now.Sub(r.alive) > servedIdle {
		r.leave(now)
	}
}

// declineFor has a group that is too large not be taken again for a while.
func (s *Service) declineFor(id wire.GroupID, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old := range s.served.declined {
		if len(s.served.declined) < maxDeclined {
			break
		}
		delete(s.served.declined, old)
	}
	s.served.declined[id] = until
}

// Served is a group that this node serves without being in it.
type Served struct {
	Group                  wire.GroupID
	Lister                 protocols.Key // the admin that listed this node
	Since                  time.Time
	Members, Records       int
	Bytes                  int64
	Number                 wire.Number
	Hub, Shadow, Candidate protocols.Key
}

// Served lists the groups that this node serves without being in them, the oldest
// first.
func (s *Service) Served(ctx context.Context) (list []Served, err error) {
	for _, r := range s.of(true) {
		err := r.see(ctx, func(time.Time) {
			if r.leaving {
				return
			}
			l, b := r.seat.Ledger(), r.seat.Branch().Record
			list = append(list, Served{
				Group: r.id, Lister: r.place.Lister, Since: r.place.Since, Members: l.Fold().Len(),
				Records: l.Log().Len(), Bytes: int64(l.Log().Size()),
				Number: b.Number, Hub: b.Primary, Shadow: b.Shadow, Candidate: b.Candidate,
			})
		})
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Served) int { return a.Since.Compare(b.Since) })
	return list, nil
}
