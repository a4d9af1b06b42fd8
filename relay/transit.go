package relay

import (
	"context"
	"errors"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/fair"
	"github.com/tom-protocol/tom/relay/role"
	"github.com/tom-protocol/tom/relay/route"
)

// restAfterDial is how long a peer is not dialled again for others that could
// not be reached.
const restAfterDial = 10 * time.Second

// Carry takes over an envelope that is verified, within its time, and not for
// this node. It returns at once; the hop answer goes through in.
func (s *Service) Carry(in Inbound, e *envelope.Envelope) {
	<-s.ready // connections may be up a moment earlier
	now := s.cfg.Now()
	a := s.askerOf(in, e)
	if s.repeated(now, in, e) {
		return
	}
	d := route.Decide(e, s.view(in, e, a))
	if d.Action == route.Reject {
		s.refuse(in, e, d.Reason)
		return
	}
	var later acts
	s.mu.Lock()
	s.begin(&later, now, in, e, d, a)
	s.mu.Unlock()
	later.do()
	s.nudge()
}

func (s *Service) askerOf(in Inbound, e *envelope.Envelope) asker {
	const path = 256 // about what the proof and the path take
	return asker{
		hop: in.Peer(), author: e.From, size: len(e.Signed()) + path,
		strangeHop: s.cfg.Atlas.Stranger(in.Peer()), strangeMail: s.cfg.Atlas.Stranger(e.From),
	}
}

// repeated answers a copy of what is on its way, or was a moment ago, with the
// outcome of the first.
func (s *Service) repeated(now time.Time, in Inbound, e *envelope.Envelope) bool {
	s.mu.Lock()
	p, answer := s.passages.byDigest[e.Digest()], envelope.Answer{}
	if p != nil && p.stage == over && now.Sub(p.begun) >= memory {
		s.passages.forget(now) // the loop is a little late
		p = s.passages.byDigest[e.Digest()]
	}
	switch {
	case p == nil:
		s.mu.Unlock()
		return false
	case p.stage == over:
		answer = p.answer
	case len(p.asked) < maxAsked:
		p.asked = append(p.asked, in)
	default:
		answer = busy(memory)
	}
	s.mu.Unlock()
	s.count.repeated()
	if answer.Code != 0 {
		s.tell(in, e.Digest(), answer)
	}
	return true
}

// view is what this node knows for a decision.
func (s *Service) view(in Inbound, e *envelope.Envelope, a asker) route.View {
	carries := s.carries(e, a)
	return route.View{
		Me: s.cfg.Self, From: in.Peer(), Connected: s.cfg.Lines.Connected, Back: s.wayBack,
		Known:   func(p protocols.Key) bool { return s.reachable(p, false) },
		Finds:   func(p protocols.Key) bool { return s.reachable(p, true) },
		Carries: carries, Holds: carries && s.holds(),
	}
}

// carries says whether this node passes an envelope on: as a relay for anybody,
// else where a friend is concerned.
func (s *Service) carries(e *envelope.Envelope, a asker) bool {
	if s.cfg.Mode == role.Off {
		return false
	}
	return !a.strangeHop || !a.strangeMail || len(s.Roles()) > 0 || s.cfg.Public() || !s.cfg.Atlas.Stranger(e.To)
}

// backLife is how long the way of an author's envelopes is the way back to it.
const backLife = 10 * time.Minute

// wayBack is the neighbour by which an envelope of a peer came, verified, and
// was passed on by this node. Who replays a peer's envelopes can make itself
// that neighbour, but only where there is no better way, and until it fails.
func (s *Service) wayBack(p protocols.Key) (protocols.Key, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.back.get(p)
	age := s.cfg.Now().Sub(a.at)
	return a.via, age >= 0 && age < backLife
}

// reachable says that a peer could be dialled, and was not tried in vain just
// now. A relay that a path names is looked for where its address is not known:
// its author knows where it is, and the path has no room for that.
func (s *Service) reachable(p protocols.Key, asRelay bool) bool {
	if known, _ := s.cfg.Atlas.Known(p); !known && !(asRelay && s.cfg.Finds) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.resting.get(p).After(s.cfg.Now())
}

// begin lets an envelope in, or tells why not; mu is held.
func (s *Service) begin(later *acts, now time.Time, in Inbound, e *envelope.Envelope, d route.Decision, a asker) {
	if s.passages.byDigest[e.Digest()] != nil {
		later.add(func() { s.repeated(now, in, e) }) // another stream was quicker
		return
	}
	if no, ok := s.rates.admit(now, a); !ok {
		later.add(func() { s.count.answered(no); s.tell(in, e.Digest(), no) })
		return
	}
	p := &passage{
		digest: e.Digest(), to: e.To, next: d.Next, last: d.Next == e.To, dial: true, asked: []Inbound{in},
		begun: now, deadline: now.Add(patience(d.Hops - 1)),
		job: fair.Job{
			Line: a.hop, Stranger: a.strangeHop && a.strangeMail, Size: a.size, At: now,
			Weight: s.book.Weight(now, a.hop),
		},
	}
	if !s.passages.add(p) {
		later.add(func() { no := busy(memory); s.count.answered(no); s.tell(in, p.digest, no) })
		return
	}
	if a.author != a.hop {
		s.back.put(a.author, arrival{a.hop, now})
	}
	e.Via, e.Hops = d.Via, d.Hops
	if d.Action == route.Store {
		p.kept, p.brief = e, true
		s.keep(later, now, p)
		return
	}
	p.frame = e.Append(make([]byte, 0, a.size))
	if p.last && s.holds() {
		e.Via, e.Hops = nil, 0
		p.kept = e
	}
	for _, out := range s.queue.Push(p.job, p) {
		s.end(later, out, turnedAway(out.job))
	}
	s.pump(later, now)
}

// pump starts whose turn it is; mu is held.
func (s *Service) pump(later *acts, now time.Time) {
	for {
		p, _, ok := s.queue.Pop()
		if !ok {
			break
		}
		s.count.forwarded(now.Sub(p.begun))
		p.stage = flying
		later.add(func() { s.send(p) })
	}
	n, bytes := s.queue.Flying()
	s.count.flight(n, bytes, s.queue.Waiting())
}

// send puts an envelope on the connection to its next hop, or dials that first.
func (s *Service) send(p *passage) {
	s.mu.Lock()
	frame := p.frame
	s.mu.Unlock()
	if frame == nil {
		return // over meanwhile
	}
	err := s.cfg.Lines.SendEnvelope(p.next, frame, func(err error) { s.wrote(p, err) })
	switch {
	case err == nil:
		s.mu.Lock()
		p.frame = nil // the connection's now
		s.mu.Unlock()
	case errors.Is(err, delivery.ErrLimit):
		s.finish(p, envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonNoRoute})
	case s.cfg.Lines.Connected(p.next):
		s.finish(p, busy(time.Second)) // its queue is full
	default:
		s.reach(p)
	}
}

// wrote notes that the bytes of an envelope have left, or could not.
func (s *Service) wrote(p *passage, err error) {
	if err != nil {
		s.fail(p)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.stage == flying {
		p.stage = written
	}
}

// reach dials the next hop, once, and then sends.
func (s *Service) reach(p *passage) {
	slots := s.dials
	if p.job.Stranger {
		slots = s.knocks
	}
	switch {
	case !p.dial || !s.reachable(p.next, !p.last):
		s.fail(p)
		return
	case !slots.TryAcquire(1):
		s.finish(p, busy(time.Second))
		return
	}
	p.dial = false
	s.spawn(func() {
		defer slots.Release(1)
		ctx, cancel := context.WithTimeout(s.ctx, p.deadline.Sub(s.cfg.Now()))
		defer cancel()
		if err := s.cfg.Lines.Connect(ctx, p.next); err != nil {
			s.mu.Lock()
			s.resting.put(p.next, s.cfg.Now().Add(restAfterDial))
			s.mu.Unlock()
			s.fail(p)
			return
		}
		s.send(p)
	})
}

// Answered takes a hop answer that came from a peer and says whether it was for
// an envelope that this node has passed on.
func (s *Service) Answered(from protocols.Key, a envelope.Answer) bool {
	now := s.cfg.Now()
	var later acts
	s.mu.Lock()
	p := s.passages.byShort[a.Digest]
	ours := p != nil && p.next == from
	if ours {
		s.heard.put(from, now)
		s.answered(&later, now, p, a)
	}
	s.mu.Unlock()
	later.do()
	return ours
}

// answered ends a passage with what the next hop said; mu is held. What comes
// late is the outcome for the copies that are still to come.
func (s *Service) answered(later *acts, now time.Time, p *passage, a envelope.Answer) {
	if a.Code == envelope.Busy {
		a = busy(time.Duration(min(a.RetryMillis, uint64(longRetry.Milliseconds()))) * time.Millisecond)
	}
	if (a.Code == envelope.Taken || a.Code == envelope.Stored) && !p.carried {
		p.carried = true
		s.book.Served(now, p.job.Line, p.job.Size)
		s.unsaved = true
		s.count.carried(p.job.Size)
	}
	if p.stage == over {
		p.answer = a
		return
	}
	s.end(later, p, a)
	s.pump(later, now)
}

// finish ends a passage, if it has not ended.
func (s *Service) finish(p *passage, a envelope.Answer) {
	now := s.cfg.Now()
	var later acts
	s.mu.Lock()
	s.end(&later, p, a)
	s.pump(&later, now)
	s.mu.Unlock()
	later.do()
}

// end ends a passage with an outcome, which all who asked are told; mu is held.
func (s *Service) end(later *acts, p *passage, a envelope.Answer) {
	if p.stage == over {
		return
	}
	if p.stage != queued && p.stage != keeping {
		s.queue.Done(p.job)
	}
	p.stage, p.answer, p.frame, p.kept = over, a, nil, nil
	if a.Code == envelope.Refused && s.back.get(p.to).via == p.next {
		delete(s.back.m, p.to) // no way back after all
	}
	asked := p.asked
	p.asked = nil
	if p.brief {
		s.passages.remove(p)
	}
	later.add(func() {
		s.count.answered(a)
		for _, in := range asked {
			s.tell(in, p.digest, a)
		}
	})
}

// expire ends what is late and forgets what is long over; mu is held.
func (s *Service) expire(later *acts, now time.Time) {
	for _, p := range s.queue.Sweep(now.Add(-s.limits.Wait)) {
		s.end(later, p, turnedAway(p.job))
	}
	var late []*passage
	for _, p := range s.passages.order {
		if p.stage != over && (!p.deadline.After(now) || p.begun.After(now)) {
			late = append(late, p)
		}
	}
	for _, p := range late {
		s.late(later, now, p)
	}
	s.passages.forget(now)
	s.pump(later, now)
}

// late ends a passage whose next hop did not answer in time, or could not be
// reached: it is busy if it has answered others meanwhile, or if the bytes have
// not even left; else there is no way there, and a relay that is silent is one to
// avoid.
func (s *Service) late(later *acts, now time.Time, p *passage) {
	if p.stage == keeping { // the disk is late: nothing is promised
		s.end(later, p, busy(time.Second))
		return
	}
	s.count.timedOut()
	if p.frame == nil && p.stage == flying || s.heard.get(p.next).After(p.begun) {
		s.end(later, p, busy(time.Second))
		return
	}
	if !p.last && p.stage == written {
		s.book.Silent(now, p.next)
		s.unsaved = true
	}
	s.giveUp(later, now, p)
}

func (s *Service) refuse(in Inbound, e *envelope.Envelope, why envelope.Reason) {
	a := envelope.Answer{Code: envelope.Refused, Reason: why}
	s.count.answered(a)
	s.tell(in, e.Digest(), a)
}

// tell sends a hop answer; if it does not get through, the envelope comes again.
func (s *Service) tell(in Inbound, d envelope.Digest, a envelope.Answer) {
	a.Digest = d.Short()
	if err := in.Answer(a.Append(make([]byte, 0, 48))); err != nil {
		logger.Debugw("hop answer not sent", "peer", in.Peer(), "err", err)
	}
}
