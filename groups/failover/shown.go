package failover

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Who was away, or apart, may know nothing of the present hub, of an admin that named
// it, or of those who follow it: they joined since, or were listed. Going by its own log
// it would never follow that hub, and meet it for ever; and two hubs that count other
// members would both stand. So who says which branch it follows shows the records by
// which these are in the group. They are judged as if they stood next in the log of the
// one that they are shown to; what stands in it already has been judged, so they bring
// back nobody whom that log took out.

// Standing returns the records of the log by which nodes are in the group, of the
// first ones first, and at most so many bytes of them. to is the branch of the one
// that they are for, nil if that is not known. Of followers, who matter to a hub, only
// what the log of that branch may lack; of speakers all: a newcomer knows the hub that
// it was told of, and has not seen its log yet.
type Standing func(now time.Time, speakers, followers []protocols.Key, to *Branch, room int) [][]byte

// Shown is who is in the group by the log here and by what was shown.
type Shown interface {
	Hears(protocols.Key) bool
	Member(protocols.Key) bool
	Admin(protocols.Key) bool
}

// maxShown is how many bytes of records are shown with a branch, and maxAttach how many
// an attach takes in a frame, with its tag.
const (
	maxShown  = 32 << 10
	maxAttach = wire.MaxAttach + 24
)

// evidence returns a branch with the attaches that speak for it, and the records that
// one who follows another branch may lack; nil: it is not known which.
func (m *Machine) evidence(now time.Time, b *Branch, attaches []*wire.Attach, to *Branch) *wire.HubRecordFrame {
	f, speakers := b.Frame(), []protocols.Key{b.Primary()}
	f.Evidence = slices.Clip(f.Evidence) // it is the branch's
	if b.Opened.Cause == wire.CauseAdmin {
		speakers = append(speakers, b.Opened.Admin)
	}
	for _, e := range b.Evidence {
		if r, err := wire.ParseReport(own{m.cfg.Signer.Network()}, e.Structure); err == nil {
			speakers = append(speakers, r.Reporter)
		}
	}
	attaches = attaches[:min(len(attaches), wire.MaxEvidence-len(f.Evidence))]
	for _, a := range attaches {
		f.Evidence = append(f.Evidence, wire.Evidence{Tag: protocols.TagGroupAttach, Structure: a.Bytes()})
	}
	var followers []protocols.Key
	for _, a := range slices.Backward(attaches) { // who joined last is known least
		followers = append(followers, a.Member)
	}
	room := min(maxShown, wire.MaxFrame-len(f.Evidence)*maxAttach)
	for _, r := range m.cfg.Standing(now, speakers, followers, to, room) {
		if len(f.Evidence) < wire.MaxEvidence {
			f.Evidence = append(f.Evidence, wire.Evidence{Tag: protocols.TagGroupRecord, Structure: r})
		}
	}
	return &f
}

// hears says whether the branch came with what shows that a node takes part.
func (b *Branch) hears(k protocols.Key) bool { return b.Shown != nil && b.Shown.Hears(k) }

// member says whether it came with what shows that a node is a member.
func (b *Branch) member(k protocols.Key) bool { return b.Shown != nil && b.Shown.Member(k) }

// admin says whether it came with what shows that a node is an admin.
func (b *Branch) admin(k protocols.Key) bool { return b.Shown != nil && b.Shown.Admin(k) }
