package roster

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Why a record is void.
var (
	ErrStranger  = errors.New("its author is not a member")
	ErrRights    = errors.New("its author may not do this")
	ErrStale     = errors.New("it names what is no longer current")
	ErrPast      = errors.New("its day is over")
	ErrPayload   = errors.New("its payload is not of its kind")
	ErrDissolved = errors.New("the group is dissolved")
	ErrMember    = errors.New("it admits one who is a member")
	ErrFull      = errors.New("the group is full")
	ErrInvite    = errors.New("its invite is not good")
	ErrKicked    = errors.New("it admits one who was kicked")
	ErrChain     = errors.New("its chain is older than the last leave or kick")
	ErrSnapshot  = errors.New("it is another roster than the log gives")
)

// Change is what a record with effect did.
type Change struct {
	Kind wire.Kind
	Node protocols.Key // who came, went or has another role; zero otherwise
	Heir protocols.Key // who became admin because none was left; zero otherwise
}

// Fold is a group's roster at a place of its log.
type Fold struct {
	verifier  wire.Verifier
	group     wire.GroupID
	charter   [32]byte
	roster    wire.Roster
	dissolved bool
	clock     wire.Millis // the time of the last snapshot with effect
	link      *link       // the last invite that was good; nil: none was yet
	ahead     bool        // records may be missing before those that are folded next
	places    places
}

// link is an invite that was verified: many may come by one.
type link struct {
	raw    []byte
	invite *wire.Invite
}

// New returns the fold of an empty log.
func New(v wire.Verifier, c *wire.Charter) *Fold {
	return FromSnapshot(v, c, &wire.Roster{
		Settings: c.Settings, Members: []wire.Member{{Node: c.Creator, Role: wire.RoleAdmin}},
		Invites: []wire.SpentInvite{}, Kicked: []wire.Kicked{},
	})
}

// FromSnapshot returns the fold at a snapshot. Whether its author was an admin
// is for the caller to know: by an older fold (see Precedes) or an invite.
func FromSnapshot(v wire.Verifier, c *wire.Charter, r *wire.Roster) *Fold {
	f := &Fold{verifier: v, group: c.Group(), charter: c.Hash(), roster: share(r)}
	f.places.count(f.roster.Members)
	return f
}

// Precedes says whether a snapshot by author may follow this fold: it is not
// older, and by one who is an admin here. What lies between is not known.
func (f *Fold) Precedes(author protocols.Key, r *wire.Roster) bool {
	return r.Version >= f.roster.Version && f.Admin(author)
}

// Clone returns a fold that goes its own way from here on. It costs next to nothing
// however many the members are.
func (f *Fold) Clone() *Fold {
	c := *f
	c.roster, c.places = share(&f.roster), f.places.lend()
	return &c
}

// Ahead returns a clone that takes records from further on in the log: an invite may be
// of a roster that is not known here.
func (f *Fold) Ahead() *Fold {
	c := f.Clone()
	c.ahead = true
	return c
}

// share returns a roster with the same lists: a fold changes none in place, and
// appends only to the list of members, behind what others see of it.
func share(r *wire.Roster) wire.Roster {
	c := *r
	c.Members = slices.Clip(r.Members)
	return c
}

// Roster returns the roster as it stands, for a snapshot or to look at.
func (f *Fold) Roster() wire.Roster {
	r := f.roster
	r.Members, r.Invites, r.Kicked = slices.Clone(r.Members), slices.Clone(r.Invites), slices.Clone(r.Kicked)
	return r
}

// Kicked returns those who were kicked and have not come back.
func (f *Fold) Kicked() []protocols.Key {
	nodes := make([]protocols.Key, len(f.roster.Kicked))
	for i := range nodes {
		nodes[i] = f.roster.Kicked[i].Node
	}
	return nodes
}

// Version returns the count of roster records with effect.
func (f *Fold) Version() wire.RosterVersion { return f.roster.Version }

// Hash returns the roster's hash.
func (f *Fold) Hash() wire.RosterHash { return f.roster.Hash() }

// Removal returns the version that the last leave or kick made, 0 for none.
func (f *Fold) Removal() wire.RosterVersion { return f.roster.Removal }

// Settings returns the group's settings.
func (f *Fold) Settings() wire.Settings { return f.roster.Settings }

// Dissolved says whether the group is no more.
func (f *Fold) Dissolved() bool { return f.dissolved }

// Len returns how many members there are.
func (f *Fold) Len() int { return len(f.roster.Members) }

// Nodes returns the members by seniority.
func (f *Fold) Nodes() []protocols.Key {
	nodes := make([]protocols.Key, len(f.roster.Members))
	for i := range nodes {
		nodes[i] = f.roster.Members[i].Node
	}
	return nodes
}

// Admins returns the admins by seniority.
func (f *Fold) Admins() (nodes []protocols.Key) {
	for i := range f.roster.Members {
		if f.roster.Members[i].Role == wire.RoleAdmin {
			nodes = append(nodes, f.roster.Members[i].Node)
		}
	}
	return nodes
}

// All goes through the members by seniority. Meanwhile nothing may be applied.
func (f *Fold) All() iter.Seq[protocols.Key] {
	return func(yield func(protocols.Key) bool) {
		for i := range f.roster.Members {
			if !yield(f.roster.Members[i].Node) {
				return
			}
		}
	}
}

// Of returns what the roster says of a member; ok is false for one who is none.
func (f *Fold) Of(k protocols.Key) (m wire.Member, ok bool) {
	if i := f.find(k); i >= 0 {
		return f.roster.Members[i], true
	}
	return m, false
}

// find returns a member's place in the list, -1 for one who is none.
func (f *Fold) find(k protocols.Key) int { return f.places.find(f.roster.Members, k) }

// Member says whether the node is a member.
func (f *Fold) Member(k protocols.Key) bool { return f.find(k) >= 0 }

// Admin says whether the node is an admin.
func (f *Fold) Admin(k protocols.Key) bool {
	i := f.find(k)
	return i >= 0 && f.roster.Members[i].Role == wire.RoleAdmin
}

// Relays returns those that may be hub although they are no members: the settings
// list them, and nobody kicked them.
func (f *Fold) Relays() []protocols.Key {
	var list []protocols.Key
	for _, k := range f.roster.Settings.HubRelays {
		if _, kicked := f.kicked(k); !kicked && !f.Member(k) && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// Relay says whether the node is one of them.
func (f *Fold) Relay(k protocols.Key) bool {
	return slices.Contains(f.roster.Settings.HubRelays, k) && slices.Contains(f.Relays(), k)
}

// Hears says whether the log goes to the node: it is a member, or one of them.
func (f *Fold) Hears(k protocols.Key) bool { return f.Member(k) || f.Relay(k) }

// Hearers yields all to whom the log goes, members first.
func (f *Fold) Hearers() iter.Seq[protocols.Key] {
	return func(yield func(protocols.Key) bool) {
		for k := range f.All() {
			if !yield(k) {
				return
			}
		}
		for _, k := range f.Relays() {
			if !yield(k) {
				return
			}
		}
	}
}

// Seniority returns the node's place among the members, from 0; ok is false
// for one who is none.
func (f *Fold) Seniority(k protocols.Key) (place int, ok bool) {
	place = f.find(k)
	return place, place >= 0
}

// Names returns what a leave, kick or role record about a member has to name
// now; ok is false for one who is none.
func (f *Fold) Names(k protocols.Key) (id wire.RecordID, ok bool) {
	i := f.find(k)
	if i < 0 {
		return id, false
	}
	return current(&f.roster.Members[i]), true
}

func current(m *wire.Member) wire.RecordID {
	if m.RoleRecord != (wire.RecordID{}) {
		return m.RoleRecord
	}
	return m.Admission
}

// Apply folds the next record, whose proof is verified. An error says why the
// record is void; then nothing has changed. merged is for a record that comes
// out of another branch: its chain is not judged again, for whoever left since
// could read it where it was written.
func (f *Fold) Apply(r *wire.Record, merged bool) (Change, error) {
	if f.dissolved {
		return Change{}, ErrDissolved
	}
	if r.Group != f.group {
		return Change{}, ErrPayload
	}
	if f.Past(r) {
		return Change{}, ErrPast
	}
	if r.Kind == wire.KindJoin {
		return f.join(r)
	}
	author := f.find(r.Author)
	if author < 0 {
		return Change{}, ErrStranger
	}
	switch r.Kind {
	case wire.KindMessage:
		return f.message(r, merged)
	case wire.KindLeave, wire.KindKick, wire.KindRole:
		return f.target(r, author)
	}
	if f.roster.Members[author].Role != wire.RoleAdmin {
		return Change{}, ErrRights
	}
	return f.admin(r, author)
}

func (f *Fold) message(r *wire.Record, merged bool) (Change, error) {
	m, err := wire.ParseMessage(r.Payload)
	if err != nil {
		return Change{}, ErrPayload
	}
	if !merged && m.Roster < f.roster.Removal {
		return Change{}, ErrChain
	}
	return Change{Kind: r.Kind}, nil
}

// admin folds what any admin may do, and what the most senior alone may.
func (f *Fold) admin(r *wire.Record, author int) (Change, error) {
	switch r.Kind {
	case wire.KindRename:
		p, err := wire.ParseRename(r.Payload)
		if err != nil {
			return Change{}, ErrPayload
		}
		f.roster.Settings.Name = p.Name
	case wire.KindSettings:
		p, err := wire.ParseSettings(r.Payload)
		if err != nil {
			return Change{}, ErrPayload
		}
		f.roster.Settings = *p
	case wire.KindDissolve:
		if wire.ParseDissolve(r.Payload) != nil {
			return Change{}, ErrPayload
		}
		if author != 0 {
			return Change{}, ErrRights
		}
		f.dissolved = true
	case wire.KindSnapshot:
		return f.snapshot(r)
	default:
		return Change{}, ErrPayload
	}
	f.roster.Version++
	return Change{Kind: r.Kind}, nil
}

// snapshot compares an admin's roster with this one. It changes nothing in it and
// counts as no version. Its time is from then on that of the fold, as it is for one
// who begins at the snapshot.
func (f *Fold) snapshot(r *wire.Record) (Change, error) {
	if !bytes.Equal(r.Payload, f.roster.Append(nil)) {
		return Change{}, ErrSnapshot
	}
	f.clock = r.Time
	return Change{Kind: r.Kind}, nil
}

// Past says whether a record's day is over by the last snapshot: it has no effect any
// more, and so may be forgotten. Of what is forgotten nobody could tell that it comes
// a second time: who came in by it may have left, what it said was read. A snapshot
// is past when there is a later one.
func (f *Fold) Past(r *wire.Record) bool {
	if r.Kind == wire.KindSnapshot {
		return r.Time < f.clock
	}
	return r.Time+Window+2*Slack < f.clock
}

// Judge says whether the record would take effect as the next, without folding
// it.
func (f *Fold) Judge(r *wire.Record, merged bool) error {
	if r.Kind == wire.KindMessage && !f.dissolved && f.Member(r.Author) && !f.Past(r) {
		_, err := f.message(r, merged)
		return err
	}
	_, err := f.Clone().Apply(r, merged)
	return err
}
