package seat

import (
	"errors"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// ErrGroup is returned for a frame of another group.
var ErrGroup = errors.New("a frame of another group")

// ErrDraft is returned for a draft that names a hub by the word of one who, by the very
// log that it speaks of, is no admin.
var ErrDraft = errors.New("one who is no admin names a hub")

// Receive takes a frame of a member, by the connection it came on. An error says
// that the sender broke a rule; then what it is about has changed nothing: how far a
// member's log goes counts, though the receipt that came with it is not its own.
func (s *Seat) Receive(now time.Time, from protocols.Key, f wire.Frame) error {
	err := s.receive(now, from, f)
	s.settle(now)
	if _, publishes := f.(*wire.Publish); !publishes && err == nil { // a join comes from outside
		s.unheard(from)
	}
	return err
}

func (s *Seat) receive(now time.Time, from protocols.Key, f wire.Frame) error {
	v := s.cfg.Verifier
	switch f := f.(type) {
	case *wire.BeatFrame:
		b, err := wire.ParseBeat(v, f.Beat)
		if err != nil {
			return err
		}
		s.failover.OnBeat(now, from, b)
		s.apart(from, b.Term)
		if !s.failover.Leads() && b.Node == from && b.Term == s.branch.Term() && from == s.branch.Primary() {
			s.member.OnBeat(now, b)
			s.seenUpTo(b.Seq)
		}
	case *wire.HubRecordFrame:
		b, attaches, err := s.branchOf(now, f)
		if err != nil {
			return err
		}
		if from == s.branch.Primary() && b.Record.Hash() == s.branch.Record.Hash() {
			s.member.Answered()
		}
		s.failover.OnBranch(now, v, from, b, attaches)
	case *wire.Offer: // it is taken already
		b, attaches, err := s.branchOf(now, &f.HubRecordFrame)
		if err != nil {
			return err
		}
		s.failover.OnBranch(now, v, from, b, attaches)
	case *wire.Meet:
		b, attaches, err := s.branchOf(now, &f.HubRecordFrame)
		if err != nil {
			return err
		}
		s.failover.OnMeet(now, v, from, b, attaches)
		s.apart(from, b.Term())
	case *wire.Yield:
		b, _, err := s.branchOf(now, &f.HubRecordFrame)
		if err != nil {
			return err
		}
		s.failover.OnYield(now, v, from, b)
	case *wire.WithdrawnFrame:
		return s.withdrawn(now, from, f)
	case *wire.ReportFrame:
		r, err := wire.ParseReport(v, f.Report)
		if err != nil {
			return err
		}
		s.failover.OnReport(now, from, r)
		s.bringDeparture(from)
	case *wire.Alive:
		if f.Group != s.group {
			return ErrGroup
		}
		s.failover.OnAlive(now, from, f)
	case *wire.AliveAnswer:
		return s.aliveAnswer(now, f)
	case *wire.Replace:
		b, err := wire.ParseBeat(v, f.Beat)
		if err != nil {
			return err
		}
		s.failover.OnReplace(now, from, b)
	case *wire.Named:
		h, admin, err := wire.ParseDraft(v, f.Draft)
		if err != nil {
			return err
		}
		if s.lies(h) {
			return ErrDraft
		}
		s.failover.OnNamed(now, h, admin)
	case *wire.Equivocation:
		g, who, ok := f.Proves(v)
		if !ok || g != s.group {
			return wire.ErrSignature
		}
		s.failover.OnEquivocation(now, who)
	default:
		return s.receiveLog(now, from, f)
	}
	return nil
}

// receiveLog takes what concerns the log.
func (s *Seat) receiveLog(now time.Time, from protocols.Key, f wire.Frame) error {
	ofHub := s.hub == nil && from == s.branch.Primary()
	switch f := f.(type) {
	case *wire.AttachFrame:
		a, err := wire.ParseAttach(s.cfg.Verifier, f.Attach)
		if err != nil {
			return err
		}
		if s.hub != nil && a.Member == from && !s.ledger.Fold().Hears(from) {
			s.attachOther(now, a)
			return nil
		}
		follows := s.failover.OnAttach(now, from, a)
		s.settle(now)
		if follows && s.hub != nil {
			s.hub.Attach(now, from, a.Last.Seq, a.Log)
		}
	case *wire.Sync:
		switch {
		case f.Group != s.group:
		case s.hub != nil:
			s.hub.Sync(now, from, f)
		default:
			s.bring(now, from, f)
		}
	case *wire.Replicated:
		if s.hub != nil && f.Group == s.group && f.Number == s.branch.Record.Number {
			s.failover.OnFrame(now, from, f.Number)
			s.hub.Replicated(now, from, f.Seq, f.Log)
			if f.Receipt != nil {
				return s.hub.Receipts(from, [][]byte{f.Receipt})
			}
		}
	case *wire.Publish:
		return s.publish(now, from, f)
	case *wire.Records:
		if f.Group != s.group {
			return nil
		}
		if !ofHub {
			return s.member.OnBrought(now, from, f)
		}
		err := s.member.OnRecords(now, f)
		if err == nil {
			s.failover.OnFrame(now, from, s.branch.Record.Number)
		}
		return err
	case *wire.SnapshotFrame:
		if ofHub && f.Group == s.group {
			return s.member.OnSnapshot(now, f)
		}
	case *wire.Accepted:
		if ofHub && f.Group == s.group {
			s.failover.OnFrame(now, from, s.branch.Record.Number)
			s.member.OnAccepted(f)
		}
	case *wire.Refused:
		if ofHub && f.Group == s.group {
			s.member.OnRefused(now, f)
		}
	case *wire.Busy:
		if ofHub && f.Group == s.group {
			s.member.OnBusy(now, f)
		}
	case *wire.Receipts:
		switch {
		case f.Group != s.group:
		case !f.Passed() && s.hub != nil && len(f.Receipts) == 0:
			if s.ledger.Fold().Member(from) {
				s.hub.AskReceipts(now, from)
			}
		case !f.Passed() && s.hub != nil:
			return s.hub.Receipts(from, f.Receipts)
		case f.Passed() && ofHub:
			return s.member.OnReceipts(f.Receipts)
		}
	case *wire.PageEnd:
		if ofHub && f.Group == s.group {
			s.member.OnPageEnd(now, f)
		}
	}
	return nil
}

// publish takes records for the hub on this node, or for its member to bring to
// the hub.
func (s *Seat) publish(now time.Time, from protocols.Key, f *wire.Publish) error {
	if f.Group != s.group || !s.mayPublish(from) {
		return nil
	}
	entries := make([]*wire.Entry, 0, len(f.Records))
	for i, b := range f.Records {
		e, err := f.Entry(i)
		if err == nil && s.hub != nil {
			if retry := s.hub.Admit(now, from, len(b)); retry > 0 {
				s.hub.Busy(from, e.Record.ID, retry)
				continue
			}
		}
		if err == nil {
			err = e.Record.Verify(s.cfg.Prover)
		}
		if err != nil {
			return err
		}
		if e.Old != nil || e.Record.Author != from {
			s.unheard(from)
		}
		if e.Old != nil && !s.ledger.Fold().Hears(from) {
			continue // what had a place once is kept even if void: only those who held it may bring it
		}
		if s.expels(now, e.Record) {
			s.expelled(e.Record)
			continue
		}
		entries = append(entries, e)
	}
	if s.hub != nil {
		s.hub.Publish(now, from, entries)
		return nil
	}
	if s.branch.Record.Shadow == s.self || s.ledger.Fold().Admin(s.self) {
		s.member.OnPublish(now, entries)
	}
	return nil
}

// mayPublish says whether the sender may bring records: a member, or one whose
// join has not stood in the log yet, for which the fold decides.
func (s *Seat) mayPublish(from protocols.Key) bool {
	return s.hub != nil || s.ledger.Fold().Member(from)
}

// branchOf reads a branch, what was shown with it and the attaches that came with it.
// Evidence that does not verify is left out: it counts for nothing.
func (s *Seat) branchOf(now time.Time, f *wire.HubRecordFrame) (*failover.Branch, []*wire.Attach, error) {
	b, err := failover.ParseBranch(s.cfg.Verifier, f)
	if err != nil {
		return nil, nil, err
	}
	var attaches []*wire.Attach
	var records []*wire.Record
	for _, e := range f.Evidence {
		switch e.Tag {
		case protocols.TagGroupAttach:
			if a, err := wire.ParseAttach(s.cfg.Verifier, e.Structure); err == nil && a.Group == s.group {
				attaches = append(attaches, a)
			}
		case protocols.TagGroupRecord:
			if r, err := wire.ParseRecord(e.Structure); err == nil && r.Group == s.group {
				records = append(records, r)
			}
		}
	}
	if fold := s.shownBy(now, records); fold != nil {
		b.Shown = fold
		if fold.Hears(b.Primary()) {
			s.newcomer = b.Primary()
		}
	}
	return b, attaches, nil
}

func (s *Seat) withdrawn(now time.Time, from protocols.Key, f *wire.WithdrawnFrame) error {
	w, err := wire.ParseWithdrawal(s.cfg.Verifier, f.Withdrawal)
	if err != nil {
		return err
	}
	back, err := failover.ParseBranch(s.cfg.Verifier, &f.HubRecordFrame)
	if err != nil {
		return err
	}
	s.failover.OnWithdrawn(now, from, w, back)
	return nil
}

func (s *Seat) aliveAnswer(now time.Time, f *wire.AliveAnswer) error {
	if f.Beat == nil {
		return nil
	}
	b, err := wire.ParseBeat(s.cfg.Verifier, f.Beat)
	if err != nil {
		return err
	}
	s.failover.OnAliveAnswer(now, b)
	return nil
}
