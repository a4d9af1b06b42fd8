package seat

import (
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A relay that the settings list learns of the group from its hub, which offers it
// a seat again and again until it attaches: it may be away, or refuse.
const (
	offerFirst  = 2 * time.Second
	offerSeldom = time.Minute

	forlornAfter = 10 * time.Second // following a hub without having its log
)

// offers are those of a hub's term, by whom they go to.
type offers map[protocols.Key]*offer

type offer struct {
	next  time.Time
	pause time.Duration
}

// offerAgain offers a seat to the relays that have not attached to this hub.
func (s *Seat) offerAgain(now time.Time) {
	if !s.failover.Open() {
		return
	}
	for _, k := range s.ledger.Fold().Relays() {
		o := s.offers[k]
		if o == nil {
			o = &offer{pause: offerFirst}
			if s.offers == nil {
				s.offers = make(offers)
			}
			s.offers[k] = o
		}
		if !s.failover.Present(now, k) && !now.Before(o.next) {
			o.next, o.pause = now.Add(o.pause), min(2*o.pause, offerSeldom)
			s.offer(k)
		}
	}
}

// Offer offers a seat to all relays that are listed: who lists them is told by
// themselves if they refuse.
func (s *Seat) Offer() {
	for _, k := range s.ledger.Fold().Relays() {
		s.offer(k)
	}
}

func (s *Seat) offer(to protocols.Key) {
	if f, ok := s.listing(to); ok && to != s.self {
		f.HubRecordFrame, f.Charter = s.branch.Frame(), s.cfg.Charter.Bytes()
		s.ready.Send = append(s.ready.Send, Send{To: to, Frame: &f})
	}
}

// seenUpTo notes that the hub's log is accepted up to a seq: when a relay has it up
// to there, it knows all who are members.
func (s *Seat) seenUpTo(seq wire.Seq) {
	if !s.settled && seq <= s.ledger.Log().Seq() {
		s.settled, s.retell = true, true
	}
}

// Forlorn says that a relay that began with nothing has not got anywhere: whoever
// offers the seat again knows better whom to follow.
func (s *Seat) Forlorn(now time.Time) bool {
	return !s.settled && now.Sub(s.failover.Since()) > forlornAfter
}

// Present says whether a relay takes part in the term of the hub on this node.
func (s *Seat) Present(now time.Time, k protocols.Key) bool { return s.failover.Present(now, k) }

// listing finds what shows that an admin listed a relay: the newest settings record,
// or the snapshot that the log begins with, or the charter.
func (s *Seat) listing(k protocols.Key) (f wire.Offer, ok bool) {
	s.ledger.Log().All(func(e journal.Entry) {
		if s.ledger.Void(e.Place.Seq) == nil && slices.Contains(listed(e.Record), k) {
			f.Listing = e.Record.Bytes()
		}
	})
	return f, f.Listing != nil || slices.Contains(s.cfg.Charter.Settings.HubRelays, k)
}

// listed are the relays that a record lists.
func listed(r *wire.Record) []protocols.Key {
	switch r.Kind {
	case wire.KindSettings:
		if p, err := wire.ParseSettings(r.Payload); err == nil {
			return p.HubRelays
		}
	case wire.KindSnapshot:
		if p, err := wire.ParseRoster(r.Payload); err == nil {
			return p.Settings.HubRelays
		}
	}
	return nil
}

// ErrOffer is returned for an offer that does not show that the group lists this
// node.
var ErrOffer = errors.New("an offer that shows no listing")

// Offered is what an offer says.
type Offered struct {
	Charter *wire.Charter
	Branch  *failover.Branch
	Lister  protocols.Key // who signed that this node is listed
}

// ParseOffer reads an offer to a node and verifies it. Whether who lists it is an
// admin is seen when the log has come.
func ParseOffer(v wire.Verifier, p wire.Prover, to protocols.Key, f *wire.Offer) (*Offered, error) {
	c, err := wire.ParseCharter(v, f.Charter)
	if err != nil {
		return nil, err
	}
	b, err := failover.ParseBranch(v, &f.HubRecordFrame)
	if err != nil {
		return nil, err
	}
	o := &Offered{Charter: c, Branch: b, Lister: c.Creator}
	list := c.Settings.HubRelays
	if f.Listing != nil {
		r, err := wire.ParseRecord(f.Listing)
		if err == nil {
			err = r.Verify(p)
		}
		if err != nil {
			return nil, err
		}
		if r.Group != c.Group() {
			return nil, ErrOffer
		}
		o.Lister, list = r.Author, listed(r)
	}
	if b.Record.Group != c.Group() || !slices.Contains(list, to) {
		return nil, ErrOffer
	}
	return o, nil
}
