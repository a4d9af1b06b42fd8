package relay

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Keeper keeps envelopes for recipients that are away.
type Keeper interface {
	// Holds says that this node does so.
	Holds() bool
	// Keep takes over a verified envelope that a peer brought, without its path,
	// and answers once it is safely on disk, or is not to be. It returns at once.
	Keep(from protocols.Key, e *envelope.Envelope, answer func(envelope.Answer))
}

// keepTime is how long the disk may take.
const keepTime = time.Second

// holds says that what cannot be passed on is kept here.
func (s *Service) holds() bool { return s.cfg.Keeper != nil && s.cfg.Keeper.Holds() }

// fail ends a passage that does not get to its next hop: where that is the
// recipient, the envelope is kept for it, if this node does so.
func (s *Service) fail(p *passage) {
	now := s.cfg.Now()
	var later acts
	s.mu.Lock()
	s.giveUp(&later, now, p)
	s.pump(&later, now)
	s.mu.Unlock()
	later.do()
}

// giveUp is fail; mu is held.
func (s *Service) giveUp(later *acts, now time.Time, p *passage) {
	switch {
	case p.stage == over || p.stage == keeping:
	case p.kept == nil || p.stage == queued:
		s.end(later, p, envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonNoRoute})
	default:
		s.queue.Done(p.job)
		delete(s.back.m, p.to) // no way back after all
		s.keep(later, now, p)
	}
}

// keep hands an envelope to the keeper, whose answer is the outcome; mu is held.
func (s *Service) keep(later *acts, now time.Time, p *passage) {
	e, from := p.kept, p.asked[0].Peer()
	p.stage, p.kept, p.frame, p.deadline = keeping, nil, nil, now.Add(keepTime)
	later.add(func() {
		s.cfg.Keeper.Keep(from, e, func(a envelope.Answer) { s.finish(p, a) })
	})
}
