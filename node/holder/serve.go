package holder

import (
	"errors"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Inbound is a stream on which a peer asks.
type Inbound interface {
	Peer() protocols.Key
	// Answer queues an answer.
	Answer(frame []byte) error
	// Misbehaved ends the stream.
	Misbehaved(err error)
}

// Questions takes in frames of one stream, in order. It blocks while too much is
// on its way to the keeper or the disk, and that stream with it.
func (s *Service) Questions(in Inbound, frames [][]byte) {
	<-s.ready // the connections may be up a moment earlier
	for _, frame := range frames {
		n, f, err := backup.ParseFrame(frame)
		if errors.Is(err, protocols.ErrFrameType) {
			continue // of a later version
		}
		if err == nil {
			err = s.serve(in, n, f)
		}
		if err != nil {
			s.count.rejected(err)
			in.Misbehaved(err)
			return
		}
	}
}

// serve answers one question. An error is the peer's fault.
func (s *Service) serve(in Inbound, n backup.Number, f backup.Frame) error {
	switch f := f.(type) {
	case *backup.Store:
		return s.serveStore(in, n, f)
	case *backup.Fetch:
		s.serveFetch(in, n, f)
	case *backup.Audit:
		s.serveAudit(in, n, f)
	case *backup.Drop:
		return s.serveDrop(in, n, f)
	case *backup.Offer:
		s.ask(func(k *backup.Keeper, now time.Time) { s.answer(in, n, k.OfferAsked(now, in.Peer(), f)) })
	case *backup.Holders:
		s.ask(func(k *backup.Keeper, now time.Time) { s.answer(in, n, k.HoldersAsked(now, in.Peer(), f)) })
	}
	return nil
}

func (s *Service) answer(in Inbound, n backup.Number, a *backup.Answer) {
	s.count.answered(a)
	if err := in.Answer(a.Append(nil, n)); err != nil {
		logger.Debugw("answer not sent", "peer", in.Peer(), "err", err)
	}
}

var errRelayed = errors.New("an envelope to be stored names relays or hops")

// serveStore verifies an envelope before anything of it is put on anybody's
// account, and has it decided upon.
func (s *Service) serveStore(in Inbound, n backup.Number, f *backup.Store) error {
	e, err := envelope.Parse(f.Envelope)
	if err != nil {
		return err
	}
	if len(e.Via) > 0 || e.Hops > 0 {
		return errRelayed
	}
	if err := s.verifyEnvelope(e); err != nil {
		return err
	}
	now := s.Now()
	switch {
	case s.Mode == Off:
		s.answer(in, n, &backup.Answer{Code: backup.Refused, Reason: envelope.ReasonPolicy})
		return nil
	case e.CheckTime(now) != nil:
		s.answer(in, n, &backup.Answer{Code: backup.Refused, Reason: envelope.ReasonClock, Value: uint64(now.UnixMilli())})
		return nil
	}
	copied := &store.Kept{Stored: now, Item: backup.Item{
		Digest: e.Digest(), ID: e.ID, From: e.From, To: e.To, End: backup.EndOf(e, now),
		Size: len(f.Envelope), Asker: in.Peer(), Holders: f.Holders,
	}}
	if err := s.admit(copied, e, f.Admission, now); err != nil {
		return err
	}
	encoded := e.Append(nil) // what stands behind the eleventh field is not kept
	if s.arriving.Acquire(s.ctx, int64(len(encoded))) != nil {
		return nil
	}
	reply := func(a *backup.Answer) { s.answer(in, n, a) }
	s.tell(func(k *backup.Keeper, now time.Time) { s.store(k, now, copied, encoded, reply) })
	return nil
}

// Keep is for what a peer brought to be passed on, verified and in time, which
// cannot be: it is kept for its recipient like what it might have brought to be
// stored. Keep does not block.
func (s *Service) Keep(from protocols.Key, e *envelope.Envelope, reply func(*backup.Answer)) {
	now, encoded := s.Now(), e.Append(nil)
	if s.Mode == Off {
		reply(&backup.Answer{Code: backup.Refused, Reason: envelope.ReasonPolicy})
		return
	}
	if !s.arriving.TryAcquire(int64(len(encoded))) {
		reply(&backup.Answer{Code: backup.Busy, RetryMillis: uint64(fullRetry.Milliseconds())})
		return
	}
	copied := &store.Kept{Stored: now, Item: backup.Item{
		Digest: e.Digest(), ID: e.ID, From: e.From, To: e.To, End: backup.EndOf(e, now),
		Size: len(encoded), Asker: from,
	}}
	s.later(func(k *backup.Keeper, now time.Time) { s.store(k, now, copied, encoded, reply) })
}

// fullRetry is when to come again while too much is on its way to the disk.
const fullRetry = 2 * time.Second

// verifyEnvelope takes its turn, so that a flood on many streams leaves time for
// everything else.
func (s *Service) verifyEnvelope(e *envelope.Envelope) error {
	if err := s.cpus.Acquire(s.ctx, 1); err != nil {
		return err // the service ends, and with it the stream
	}
	defer s.cpus.Release(1)
	return s.verifier.Verify(e)
}

// admit looks at the admission that came with an envelope. One that is over or
// for others is as none; one that is forged is the asker's fault.
func (s *Service) admit(c *store.Kept, e *envelope.Envelope, raw []byte, now time.Time) error {
	if len(raw) == 0 {
		return nil
	}
	a, err := backup.ParseAdmission(s.Signer.Network(), raw)
	if err != nil {
		return err
	}
	if c.Admitted = a.Admits(e, now); c.Admitted {
		c.Admission = raw
	}
	return nil
}

// store has the keeper decide, and the disk keep.
func (s *Service) store(k *backup.Keeper, now time.Time, c *store.Kept, encoded []byte, reply func(*backup.Answer)) {
	a, keep := k.StoreAsked(now, c.Item)
	if !keep {
		s.arriving.Release(int64(len(encoded)))
		s.answerStore(k, c.Digest, a, reply)
		return
	}
	done := func(err error) {
		s.arriving.Release(int64(len(encoded)))
		if err != nil {
			logger.Errorw("copy not written", "err", err)
		}
		s.later(func(k *backup.Keeper, now time.Time) {
			s.answerStore(k, c.Digest, k.Kept(now, c.Digest, err == nil), reply)
		})
	}
	s.write(func() { s.Disk.Keep(c, encoded, done) })
}

// answerStore answers, and signs for what is on disk.
func (s *Service) answerStore(k *backup.Keeper, d envelope.Digest, a *backup.Answer, reply func(*backup.Answer)) {
	end, ok := k.Copy(d)
	if a.Code != backup.Stored || !ok {
		reply(a)
		return
	}
	s.spawn(func() {
		a.Storage = backup.SignStorage(s.Signer, backup.Storage{Digest: d, End: uint64(end.UnixMilli())})
		reply(a)
	})
}

// serveFetch answers with the mail of whoever asks.
func (s *Service) serveFetch(in Inbound, n backup.Number, f *backup.Fetch) {
	var page []envelope.Digest
	a := &backup.Answer{Code: backup.Envelopes}
	s.ask(func(k *backup.Keeper, now time.Time) { page, a.More = k.FetchAsked(now, in.Peer(), f.After) })
	for _, d := range page {
		encoded, err := s.Disk.KeptBytes(d)
		if err != nil { // it has just ended, or is damaged
			s.unreadable(d, err)
			continue
		}
		a.Envelopes = append(a.Envelopes, encoded)
	}
	s.answer(in, n, a)
}

// unreadable gives up a copy that cannot be read.
func (s *Service) unreadable(d envelope.Digest, err error) {
	logger.Debugw("copy not read", "err", err)
	if !errors.Is(err, store.ErrNotFound) {
		s.later(func(k *backup.Keeper, now time.Time) { k.Unreadable(now, d) })
	}
}

// serveAudit proves that a copy is here.
func (s *Service) serveAudit(in Inbound, n backup.Number, f *backup.Audit) {
	var a *backup.Answer
	prove := false
	s.ask(func(k *backup.Keeper, _ time.Time) { a, prove = k.AuditAsked(in.Peer(), f.Digest) })
	if prove {
		a = &backup.Answer{Code: backup.Hash}
		if encoded, err := s.Disk.KeptBytes(f.Digest); err == nil {
			proof := backup.Proof(f.Nonce, encoded)
			a.Hash = &proof
		} else {
			s.unreadable(f.Digest, err)
		}
	}
	if a != nil {
		s.answer(in, n, a)
	}
}

// serveDrop ends what a recipient has signed for. The receipt may be about
// messages of this node too.
func (s *Service) serveDrop(in Inbound, n backup.Number, f *backup.Drop) error {
	r, err := ack.Parse(s.Signer.Network(), f.Receipt)
	if err != nil {
		return err
	}
	s.tell(func(k *backup.Keeper, now time.Time) { k.Receipt(now, in.Peer(), r, f.Receipt) })
	s.answer(in, n, &backup.Answer{Code: backup.Done})
	return nil
}
