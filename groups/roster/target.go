package roster

import (
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
)

// target folds what is about one member: a leave, a kick, another role.
func (f *Fold) target(r *wire.Record, author int) (Change, error) {
	p, err := wire.ParseTarget(r.Kind, r.Payload)
	if err != nil {
		return Change{}, ErrPayload
	}
	at := author
	if r.Kind != wire.KindLeave {
		if at = f.find(p.Member); at < 0 {
			return Change{}, ErrStale
		}
		if f.roster.Members[author].Role != wire.RoleAdmin || at <= author {
			return Change{}, ErrRights
		}
	}
	m := &f.roster.Members[at]
	if p.Names != current(m) {
		return Change{}, ErrStale
	}
	if r.Kind == wire.KindRole && p.Role == m.Role {
		return Change{}, ErrStale
	}
	change := Change{Kind: r.Kind, Node: m.Node}
	f.roster.Members = slices.Clone(f.roster.Members)
	if r.Kind == wire.KindRole {
		f.setRole(at, p.Role, r.ID)
	} else {
		f.remove(r.Kind, at)
	}
	change.Heir = f.inherit().Node
	f.places.count(f.roster.Members)
	return change, nil
}

func (f *Fold) remove(kind wire.Kind, at int) {
	f.roster.Version++
	f.roster.Removal = f.roster.Version
	node := f.roster.Members[at].Node
	f.roster.Members = slices.Delete(f.roster.Members, at, at+1)
	if kind != wire.KindKick {
		return
	}
	f.roster.Voiding = f.roster.Version
	f.pardon(node)
	f.roster.Kicked = append(slices.Clip(f.roster.Kicked), wire.Kicked{Node: node, At: f.roster.Version})
	f.roster.Kicked = f.roster.Kicked[max(0, len(f.roster.Kicked)-wire.MaxKicked):]
}

// setRole moves the member to its place: a new admin behind the other admins, a
// former one behind everybody.
func (f *Fold) setRole(at int, role wire.Role, by wire.RecordID) {
	f.roster.Version++
	m := f.roster.Members[at]
	m.Role, m.RoleRecord = role, by
	f.roster.Members = slices.Delete(f.roster.Members, at, at+1)
	to := len(f.roster.Members)
	if role == wire.RoleAdmin {
		to = f.admins()
	} else {
		f.roster.Voiding = f.roster.Version
	}
	f.roster.Members = slices.Insert(f.roster.Members, to, m)
}

func (f *Fold) admins() int {
	n := slices.IndexFunc(f.roster.Members, func(m wire.Member) bool { return m.Role != wire.RoleAdmin })
	if n < 0 {
		return len(f.roster.Members)
	}
	return n
}

// inherit makes the most senior member an admin if there is none, and returns
// it. A group that everybody left is dissolved.
func (f *Fold) inherit() (heir wire.Member) {
	if len(f.roster.Members) == 0 {
		f.dissolved = true
		return heir
	}
	if f.admins() > 0 {
		return heir
	}
	f.roster.Members[0].Role = wire.RoleAdmin
	return f.roster.Members[0]
}
