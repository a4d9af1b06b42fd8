package roster

import (
	"bytes"
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Slack is how far authors' clocks may be ahead, in milliseconds.
const Slack wire.Millis = 5 * 60 * 1000

// Window is how old a record may be when a hub first takes it, in milliseconds.
const Window wire.Millis = 24 * 3600 * 1000

// join folds a join record, whose author is the one who comes in.
func (f *Fold) join(r *wire.Record) (Change, error) {
	p, err := wire.ParseJoin(r.Payload)
	switch {
	case err != nil:
		return Change{}, ErrPayload
	case f.Member(r.Author):
		return Change{}, ErrMember
	case len(f.roster.Members) >= int(f.roster.Settings.Max):
		return Change{}, ErrFull
	}
	if p.Invite == nil {
		err = f.walkIn(r.Author)
	} else {
		err = f.invited(r, p)
	}
	if err != nil {
		return Change{}, err
	}
	f.roster.Version++
	f.places.note(r.Author, len(f.roster.Members))
	f.roster.Members = append(f.roster.Members, wire.Member{Node: r.Author, Role: wire.RoleMember, Admission: r.ID, Name: p.Name})
	f.pardon(r.Author)
	return Change{Kind: r.Kind, Node: r.Author}, nil
}

// walkIn is a join without invite.
func (f *Fold) walkIn(joiner protocols.Key) error {
	if !f.roster.Settings.Open {
		return ErrInvite
	}
	if _, kicked := f.kicked(joiner); kicked {
		return ErrKicked
	}
	return nil
}

// pardon forgets that one was kicked.
func (f *Fold) pardon(node protocols.Key) {
	if _, kicked := f.kicked(node); kicked {
		f.roster.Kicked = slices.DeleteFunc(slices.Clone(f.roster.Kicked), func(k wire.Kicked) bool { return k.Node == node })
	}
}

func (f *Fold) kicked(k protocols.Key) (at wire.RosterVersion, ok bool) {
	for _, kicked := range f.roster.Kicked {
		if kicked.Node == k {
			return kicked.At, true
		}
	}
	return 0, false
}

// invited is a join by invite. It spends a use.
func (f *Fold) invited(r *wire.Record, p *wire.Join) error {
	i, err := f.invite(p.Invite)
	if err != nil {
		return err
	}
	switch {
	case !f.Admin(i.Issuer), i.Roster > f.roster.Version && !f.ahead:
		return ErrInvite
	case r.Time > i.Expires, r.Time+Slack < i.Made:
		return ErrInvite
	}
	if i.For != (protocols.Key{}) {
		err = f.named(r.Author, i, p)
	} else {
		err = f.bearer(r.Author, i, p)
	}
	if err != nil {
		return err
	}
	return f.spend(r.Time, i)
}

// invite reads an invite into this group and verifies it, unless it is the last that
// was good.
func (f *Fold) invite(raw []byte) (*wire.Invite, error) {
	if f.link != nil && bytes.Equal(f.link.raw, raw) {
		return f.link.invite, nil
	}
	i, c, err := wire.ParseInvite(f.verifier, raw)
	if err != nil || c.Hash() != f.charter {
		return nil, ErrInvite
	}
	f.link = &link{raw: raw, invite: i}
	return i, nil
}

// named is a join by an invite that is bound to a peer. One from before the
// peer was kicked does not bring it back.
func (f *Fold) named(joiner protocols.Key, i *wire.Invite, p *wire.Join) error {
	if i.For != joiner || p.Signature != nil {
		return ErrInvite
	}
	if at, kicked := f.kicked(joiner); kicked && i.Roster < at {
		return ErrKicked
	}
	return nil
}

// bearer is a join by link.
func (f *Fold) bearer(joiner protocols.Key, i *wire.Invite, p *wire.Join) error {
	if i.Roster < f.roster.Voiding || !wire.VerifyJoin(f.verifier, i.Bearer, f.group, joiner, p.Signature) {
		return ErrInvite
	}
	if _, kicked := f.kicked(joiner); kicked {
		return ErrKicked
	}
	return nil
}

// spend takes a use off the invite, and forgets those by which no record could
// come in any more: their end lies more than a window before this one's time.
func (f *Fold) spend(now wire.Millis, i *wire.Invite) error {
	list := slices.DeleteFunc(slices.Clone(f.roster.Invites), func(s wire.SpentInvite) bool {
		return s.Expires+Window+2*Slack < now
	})
	hash := i.Hash()
	at, found := slices.BinarySearchFunc(list, hash, func(s wire.SpentInvite, h [32]byte) int { return bytes.Compare(s.Hash[:], h[:]) })
	switch {
	case found && list[at].Left == 0:
		return ErrInvite
	case found:
		list[at].Left--
	case len(list) >= wire.MaxInvites:
		return ErrFull
	default:
		list = slices.Insert(list, at, wire.SpentInvite{Hash: hash, Left: i.Uses - 1, Expires: i.Expires})
	}
	f.roster.Invites = list
	return nil
}
