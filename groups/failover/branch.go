package failover

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// ErrBranch is returned for a hub record that does not come with what it is to
// be judged by, or that this makes invalid.
var ErrBranch = errors.New("not a valid hub record with its links")

// Branch is a hub record with the records it is judged by.
type Branch struct {
	Record   *wire.HubRecord
	Opened   *wire.HubRecord   // of its term; the record itself in version 1
	Links    []*wire.HubRecord // what Opened links to; none for a group's first
	Evidence []wire.Evidence   // reports that came with an election
	Shown    Shown             // by what came with it; nil: that was nothing new
}

// Term returns the term the branch is in.
func (b *Branch) Term() wire.Term { return b.Record.Term() }

// Primary returns the branch's hub.
func (b *Branch) Primary() protocols.Key { return b.Record.Primary }

// Frame returns the branch as it travels.
func (b *Branch) Frame() wire.HubRecordFrame {
	f := wire.HubRecordFrame{Record: b.Record.Bytes(), Linked: [][]byte{}, Evidence: b.Evidence}
	if b.Opened != b.Record {
		f.Linked = append(f.Linked, b.Opened.Bytes())
	}
	for _, l := range b.Links {
		f.Linked = append(f.Linked, l.Bytes())
	}
	if f.Evidence == nil {
		f.Evidence = []wire.Evidence{}
	}
	return f
}

// ParseBranch reads a branch out of a frame and verifies its signatures, and
// that its records are those that it names. Evidence that is no report is left
// out of the branch: what it shows is for those to see who have the log.
func ParseBranch(v wire.Verifier, f *wire.HubRecordFrame) (*Branch, error) {
	rec, err := wire.ParseHubRecord(v, f.Record)
	if err != nil {
		return nil, err
	}
	b, linked := &Branch{Record: rec, Opened: rec}, f.Linked
	if rec.Version > 1 {
		if len(linked) == 0 {
			return nil, ErrBranch
		}
		if b.Opened, err = wire.ParseHubRecord(v, linked[0]); err != nil {
			return nil, err
		}
		linked = linked[1:]
	}
	for _, l := range linked {
		link, err := wire.ParseHubRecord(v, l)
		if err != nil {
			return nil, err
		}
		b.Links = append(b.Links, link)
	}
	for _, e := range f.Evidence {
		if e.Tag == protocols.TagGroupReport {
			b.Evidence = append(b.Evidence, wire.Evidence{Tag: e.Tag, Structure: bytes.Clone(e.Structure)})
		}
	}
	return b, b.fits()
}

// fits checks that the records belong together.
func (b *Branch) fits() error {
	o := b.Opened
	if o.Version != 1 || o.Hash() != b.Record.Term().Opened || o.Primary != b.Record.Primary || o.Number != b.Record.Number || o.Group != b.Record.Group {
		return fmt.Errorf("%w: another opened its term", ErrBranch)
	}
	if o.Cause == wire.CauseFirst {
		if len(b.Links) > 0 {
			return ErrBranch
		}
		return nil
	}
	if len(b.Links) != len(o.Links) {
		return fmt.Errorf("%w: links are missing", ErrBranch)
	}
	var highest wire.Number
	for i, l := range b.Links {
		if l.Hash() != o.Links[i] || l.Group != o.Group {
			return fmt.Errorf("%w: not the record it links to", ErrBranch)
		}
		highest = max(highest, l.Number)
	}
	if o.Number != highest+1 {
		return fmt.Errorf("%w: a number that does not follow", ErrBranch)
	}
	return b.causeFits()
}

func (b *Branch) causeFits() error {
	o, link := b.Opened, b.Links[0]
	ok := true
	switch o.Cause {
	case wire.CausePromotion:
		ok = link.Names(o.Primary)
	case wire.CauseHanded:
		ok = link.Primary == o.Admin
	case wire.CauseMerge:
		ok = link.Primary == o.Primary
	}
	if !ok {
		return fmt.Errorf("%w: its cause does not fit", ErrBranch)
	}
	return nil
}

// joins says whether the branch is a merge that names a term.
func (b *Branch) joins(t wire.Term) bool {
	return b.Opened.Cause == wire.CauseMerge && slices.ContainsFunc(b.Links, func(l *wire.HubRecord) bool { return l.Term() == t })
}

// handedOverBy says whether the hub of a term opened the branch, to end its own.
func (b *Branch) handedOverBy(t wire.Term) bool {
	return b.Opened.Cause == wire.CauseHanded && b.Links[0].Term() == t
}

// role is the place of the primary in the record its term continues: shadow,
// candidate, other.
func (b *Branch) role() int {
	switch link := b.Links[0]; b.Opened.Primary {
	case link.Shadow:
		return 0
	case link.Candidate:
		return 1
	}
	return 2
}

// higher says whether a outranks b: by number, then by whether an admin named
// it, then by the linked version, then by role, then by rank.
func (m *Machine) higher(a, b *Branch) bool {
	ao, bo := a.Opened, b.Opened
	switch {
	case ao.Number != bo.Number:
		return ao.Number > bo.Number
	case a.Term() == b.Term():
		return a.Record.Version > b.Record.Version
	case len(a.Links) == 0 || len(b.Links) == 0:
		return len(a.Links) > len(b.Links)
	case m.byAdmin(a) != m.byAdmin(b):
		return m.byAdmin(a)
	case m.byAdmin(a) && ao.Admin != bo.Admin:
		return m.senior(ao.Admin, bo.Admin)
	case a.Links[0].Number == b.Links[0].Number && a.Links[0].Version != b.Links[0].Version:
		return a.Links[0].Version > b.Links[0].Version
	case a.role() != b.role():
		return a.role() < b.role()
	case ao.Primary != bo.Primary:
		return m.rankBelow(ao.Number, ao.Primary, bo.Primary)
	}
	ah, bh := ao.Hash(), bo.Hash()
	return bytes.Compare(ah[:], bh[:]) < 0
}

func (m *Machine) rankBelow(n wire.Number, a, b protocols.Key) bool {
	ra, rb := wire.Rank(m.cfg.Group, n, a), wire.Rank(m.cfg.Group, n, b)
	return bytes.Compare(ra[:], rb[:]) < 0
}

// senior says whether admin a is senior to b.
func (m *Machine) senior(a, b protocols.Key) bool {
	return slices.Index(m.members, a) < slices.Index(m.members, b)
}
