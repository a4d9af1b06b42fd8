package seat

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// known is the newest roster that failover was told of.
type known struct {
	version wire.RosterVersion
	members []protocols.Key
	relays  []protocols.Key
}

// roster tells failover who is a member. While the log catches up with what it
// was, its roster is an old one, and is not told.
func (s *Seat) roster(now time.Time) {
	if s.hub == nil && s.member.CatchingUp(now) || !s.ledger.RosterChanged() && !s.retell {
		return
	}
	s.retell = false
	f := s.ledger.Fold()
	of := failover.Roster{Beat: s.beat(), Members: f.Nodes(), Relays: f.Relays(), Kicked: f.Kicked(), Admins: f.Admins()}
	if root := s.member.Root(); root != nil {
		of.Partial = true
		of.Members = with(of.Members, root.Issuer)
	}
	joins := s.cfg.Lister == protocols.Key{} && !f.Member(s.self) && !slices.Contains(of.Kicked, s.self)
	of.Partial = of.Partial || !s.settled || joins // the log does not show yet that this node is in the group
	s.remember(f.Version(), &of)
	s.failover.Members(now, of)
}

// remember notes the newest roster. A hub whose log is shorter takes nobody out by
// that: who hears only what an older roster allows could never be told the truth.
func (s *Seat) remember(v wire.RosterVersion, of *failover.Roster) {
	if s.hub != nil || v >= s.known.version {
		s.known = known{v, of.Members, of.Relays}
		return
	}
	of.Partial = true
	for _, k := range s.known.members {
		if !slices.Contains(of.Kicked, k) {
			of.Members = with(of.Members, k)
		}
	}
	for _, k := range s.known.relays {
		if !slices.Contains(of.Kicked, k) && !slices.Contains(of.Members, k) {
			of.Relays = with(of.Relays, k)
		}
	}
}

// with returns nodes and one that may be among them.
func with(members []protocols.Key, k protocols.Key) []protocols.Key {
	if slices.Contains(members, k) {
		return members
	}
	return append(members, k)
}
