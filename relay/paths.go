package relay

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/choose"
)

// How long what was learnt about paths holds.
const (
	arrivalLife  = time.Hour               // a peer's envelope came over a relay
	barLife      = 1500 * time.Millisecond // a relay knows no way to a peer; it doubles each time
	longBar      = time.Minute             // but no further
	barMemory    = 2 * time.Minute         // after its end, in which the next one is a repetition
	policyLife   = 5 * time.Minute         // a relay does not relay for us
	busyLife     = 2 * time.Second         // a relay had no room
	mapLife      = time.Second             // the list of neighbours
	maxArrivals  = 3                       // relays remembered for one peer
	quotaBarLife = 10 * time.Second        // a relay has had enough of our envelopes
)

// paths is what this node has learnt of relays from what came over them, and
// from what they answered.
type paths struct {
	arrivals recent[protocols.Key, []arrival] // by author
	bars     recent[barred, bar]
	busy     recent[protocols.Key, time.Time] // until when

	neighbours []choose.Candidate
	fetched    time.Time
}

// arrival says that an envelope came by a relay.
type arrival struct {
	via protocols.Key
	at  time.Time
}

// barred is a relay and a recipient, or none: the relay passes on nothing of
// ours.
type barred struct{ first, to protocols.Key }

// bar says until when, and how often it was told lately. Once bars the relay
// alone; as often as there are routes of one round, chains that begin there too.
// It is short at first: the recipient may be about to connect there.
type bar struct {
	until time.Time
	times int
}

func newPaths() paths {
	return paths{
		arrivals: newRecent[protocols.Key, []arrival](maxPeers),
		bars:     newRecent[barred, bar](maxPeers),
		busy:     newRecent[protocols.Key, time.Time](maxPeers),
	}
}

// Came notes that an envelope of an author, verified, came by a relay: the way
// back to it.
func (s *Service) Came(author, via protocols.Key) {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.paths.arrivals.get(author)
	fresh := make([]arrival, 1, maxArrivals)
	fresh[0] = arrival{via, now}
	for _, a := range old {
		if a.via != via && len(fresh) < maxArrivals {
			fresh = append(fresh, a)
		}
	}
	s.paths.arrivals.put(author, fresh)
	delete(s.paths.bars.m, barred{via, author})
}

// Routes are chains of relays to a recipient, ranked best first, at most four.
// It answers from memory.
func (s *Service) Routes(to protocols.Key, _ int) []delivery.Route {
	now := s.cfg.Now()
	own := slices.DeleteFunc(s.neighbours(now), func(c choose.Candidate) bool { return !c.Offers && !c.Contact })
	return choose.Routes(now, choose.Map{
		Me: s.cfg.Self, To: to, Own: own,
		Behind: func(p protocols.Key) []protocols.Key { return s.behind(now, p) },
		Look:   func(p protocols.Key) choose.Candidate { return s.measured(now, s.cfg.Atlas.Look(p)) },
		Direct: func(p protocols.Key) bool {
			_, direct := s.cfg.Atlas.Known(p)
			return direct || s.cfg.Lines.Connected(p)
		},
		Barred: func(first protocols.Key, alone bool) bool { return s.barred(now, first, to, alone) },
	})
}

// neighbours are those who are connected, with what was measured of them.
func (s *Service) neighbours(now time.Time) []choose.Candidate {
	s.mu.Lock()
	old := s.paths.neighbours
	stale := old == nil || now.Sub(s.paths.fetched) >= mapLife || now.Before(s.paths.fetched)
	s.mu.Unlock()
	if stale {
		old = s.cfg.Atlas.Neighbours()
		s.mu.Lock()
		s.paths.neighbours, s.paths.fetched = old, now
		s.mu.Unlock()
	}
	all := make([]choose.Candidate, len(old))
	for i, c := range old {
		all[i] = s.measured(now, c)
	}
	return all
}

// Neighbourhood says that who is connected has changed: the next route is laid
// with that.
func (s *Service) Neighbourhood() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths.neighbours = nil
}

// measured adds what this node has measured of a candidate.
func (s *Service) measured(now time.Time, c choose.Candidate) choose.Candidate {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Record = s.book.Record(now, c.Peer)
	if s.paths.busy.get(c.Peer).After(now) {
		c.Load = 255
	}
	return c
}

// behind are the relays by which envelopes of a peer came, and those it names.
func (s *Service) behind(now time.Time, p protocols.Key) (all []protocols.Key) {
	s.mu.Lock()
	for _, a := range s.paths.arrivals.get(p) {
		if age := now.Sub(a.at); age >= 0 && age < arrivalLife {
			all = append(all, a.via)
		}
	}
	s.mu.Unlock()
	for _, k := range s.cfg.Atlas.Behind(p) {
		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}

func (s *Service) barred(now time.Time, first, to protocols.Key, alone bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.paths.bars.get(barred{first, to})
	all := s.paths.bars.get(barred{first: first})
	return all.until.After(now) || b.until.After(now) && (alone || b.times >= choose.MaxRoutes)
}

// Outcome takes the evidence of what a relay did with an envelope of ours.
func (s *Service) Outcome(via protocols.Key, o delivery.Outcome) {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved = true
	switch {
	case o.Receipt:
		s.count.outcome("receipt")
		s.book.Proved(now, via)
	case o.Lost:
		s.count.outcome("lost")
		s.book.Lost(now, via)
	case o.Code == envelope.Taken || o.Code == envelope.Stored:
		s.count.outcome("taken")
		s.book.Took(now, via, o.Took)
		delete(s.paths.bars.m, barred{via, o.To})
	case o.Code == envelope.Busy:
		s.count.outcome("busy")
		s.paths.busy.put(via, now.Add(busyLife))
	case o.Code == envelope.Refused:
		s.count.outcome("refused")
		s.refused(now, via, o)
	default:
		s.count.outcome("silent")
		s.book.Silent(now, via)
	}
}

// refused bars a relay for a while from what it will not do; mu is held. That it
// knows no way is not its fault.
func (s *Service) refused(now time.Time, via protocols.Key, o delivery.Outcome) {
	switch o.Reason {
	case envelope.ReasonNoRoute, envelope.ReasonHops:
		key := barred{via, o.To}
		b := bar{times: 1}
		if old := s.paths.bars.get(key); old.until.Add(barMemory).After(now) {
			b.times = min(old.times+1, 16)
		}
		b.until = now.Add(min(barLife<<(b.times-1), longBar))
		s.paths.bars.put(key, b)
	case envelope.ReasonPolicy:
		s.paths.bars.put(barred{first: via}, bar{until: now.Add(policyLife)})
	case envelope.ReasonQuota:
		s.paths.bars.put(barred{first: via}, bar{until: now.Add(quotaBarLife)})
	}
}

// Relays are those this node knows of, in the order in which it would ask them:
// neighbours that offer to relay, contacts, and whoever has done so before.
func (s *Service) Relays() []choose.Ranked {
	now := s.cfg.Now()
	seen := make(map[protocols.Key]bool)
	var all []choose.Candidate
	for _, c := range s.neighbours(now) {
		if c.Offers || c.Contact || c.Record.Success > 0 {
			seen[c.Peer] = true
			all = append(all, c)
		}
	}
	s.mu.Lock()
	records := s.book.Records(now)
	s.mu.Unlock()
	for _, r := range records {
		if r.Success > 0 && !seen[r.Peer] {
			all = append(all, s.measured(now, s.cfg.Atlas.Look(r.Peer)))
		}
	}
	return choose.Rank(now, all)
}

// Rank ranks candidates by what this node has measured of them, for others who
// look for a relay.
func (s *Service) Rank(candidates []choose.Candidate) []choose.Ranked {
	now := s.cfg.Now()
	all := make([]choose.Candidate, len(candidates))
	for i, c := range candidates {
		all[i] = s.measured(now, c)
	}
	return choose.Rank(now, all)
}
