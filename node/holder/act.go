package holder

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// act does what the keeper wants done. Nothing here blocks: what reads, dials or
// writes does so elsewhere and comes back as input.
func (s *Service) act(k *backup.Keeper, now time.Time) {
	for {
		r := k.Ready()
		for _, d := range r.Destroy {
			s.count.destroyed(d.Receipt != nil)
			s.write(func() { s.Disk.Purge(d.Digest, d.Receipt, purged) })
		}
		for _, d := range r.Listed {
			if holders, end, ok := k.HoldersOf(d); ok {
				s.write(func() { s.Disk.KeepHolders(d, end, holders) })
			}
		}
		s.placed(k, r.Placed)
		for _, p := range r.Push {
			s.startPush(p)
		}
		for _, to := range r.Seek {
			s.spawn(func() { s.seek(to) })
		}
		for _, q := range r.Ask {
			s.spawn(func() { s.put(q) })
		}
		if len(r.Ended)+len(r.Tell) > 0 {
			s.spawn(func() { s.passOn(r.Ended, r.Tell) })
		}
		for _, to := range r.Look {
			k.Candidates(now, to, s.candidates(to))
		}
		if len(r.Look) == 0 {
			s.count.usage(k.Usage)
			return
		}
	}
}

func purged(err error) {
	if err != nil {
		logger.Errorw("copy not destroyed", "err", err)
	}
}

func (s *Service) candidates(to protocols.Key) []backup.Candidate { return s.Config.Candidates(to) }

// placed tells the post of changes, once for each message.
func (s *Service) placed(k *backup.Keeper, digests []envelope.Digest) {
	for i, d := range digests {
		if i > 0 && digests[i-1] == d {
			continue
		}
		if p, ok := k.Placement(d); ok {
			s.Post.Placed(p.ID, p)
		}
	}
}

// passOn brings receipts to where they are waited for.
func (s *Service) passOn(own [][]byte, others []backup.Tidings) {
	for _, raw := range own {
		_ = s.Post.Receipts(s.me, ack.Frame{Receipts: [][]byte{raw}}.Append(nil)) // verified before
	}
	for _, t := range others {
		if s.Lines.Connected(t.Author) {
			_ = s.Lines.SendAck(t.Author, ack.Frame{Receipts: [][]byte{t.Receipt}}.Append(nil))
		}
	}
}

// put puts a question to a peer.
func (s *Service) put(q backup.Question) {
	frame, err := s.frame(q)
	if err != nil {
		logger.Debugw("question not put", "err", err)
		s.tell(func(k *backup.Keeper, now time.Time) { k.Unasked(now, q.N) })
		return
	}
	failed := func(err error) {
		if err != nil {
			s.later(func(k *backup.Keeper, now time.Time) { k.Unanswered(now, q.N) })
		}
	}
	if err := s.connect(q.To, dialTime); err != nil {
		failed(err)
		return
	}
	s.count.asked(q.Frame)
	if err := s.Lines.SendBackup(q.To, frame, failed); err != nil {
		failed(err)
	}
}

// connect dials a peer unless it is connected.
func (s *Service) connect(p protocols.Key, patience time.Duration) error {
	if s.Lines.Connected(p) {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := s.dialling.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.dialling.Release(1)
	return s.Lines.Connect(ctx, p)
}

// frame encodes a question, with what the keeper does not have.
func (s *Service) frame(q backup.Question) ([]byte, error) {
	switch f := q.Frame.(type) {
	case *backup.Store:
		encoded, admission, err := s.load(q)
		if err != nil {
			return nil, err
		}
		full := backup.Store{Envelope: encoded, Holders: f.Holders, Admission: admission}
		return full.Append(nil, q.N), nil
	case *backup.Audit:
		encoded, _, err := s.load(q)
		if err != nil {
			return nil, err
		}
		full := backup.Audit{Digest: f.Digest}
		rand.Read(full.Nonce[:]) // never fails
		s.expect(q.N, backup.Proof(full.Nonce, encoded))
		return full.Append(nil, q.N), nil
	}
	return q.Frame.Append(nil, q.N), nil
}

// expectation is the proof that an audit under way should bring.
type expectation struct {
	proof [32]byte
	since time.Time
}

// maxExpected is how many audits may be under way before those are forgotten
// that nobody answers any more.
const maxExpected = 4096

func (s *Service) expect(n backup.Number, proof [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(s.expected) >= maxExpected {
		for old, e := range s.expected {
			if now.Sub(e.since) > time.Minute {
				delete(s.expected, old)
			}
		}
	}
	s.expected[n] = expectation{proof, now}
}

// load reads the envelope that a question is about, and the admission to go
// with it.
func (s *Service) load(q backup.Question) (encoded, admission []byte, err error) {
	if err := s.loading.Acquire(s.ctx, 1); err != nil {
		return nil, nil, err
	}
	defer s.loading.Release(1)
	if !q.Own {
		if encoded, err = s.Disk.KeptBytes(q.Digest); err != nil {
			s.unreadable(q.Digest, err)
			return nil, nil, err
		}
		admission, err = s.Disk.KeptAdmission(q.Digest)
		return encoded, admission, err
	}
	out, err := s.Disk.Load(q.ID)
	if err != nil {
		return nil, nil, err
	}
	e, err := envelope.Parse(out.Envelope)
	if err != nil {
		return nil, nil, err
	}
	e.Via, e.Hops = nil, 0
	admission, _ = s.Disk.Admission(e.To)
	return e.Append(nil), admission, nil
}

// seek tries to connect to a recipient whose mail is here.
func (s *Service) seek(to protocols.Key) {
	if err := s.connect(to, seekTime); err != nil {
		logger.Debugw("recipient not found", "peer", to, "err", err)
	}
}

// Answers takes in what came back on this node's stream to a peer.
func (s *Service) Answers(p protocols.Key, frames [][]byte) {
	<-s.ready
	for _, frame := range frames {
		n, a, err := backup.ParseAnswer(frame)
		if err != nil {
			s.count.rejected(err)
			continue
		}
		if isFetch(n) {
			s.fetched(p, n, a)
			continue
		}
		r := s.verify(n, a)
		s.tell(func(k *backup.Keeper, now time.Time) { s.count.replied(p, r, k.Replied(now, p, n, r)) })
	}
}

// verify verifies the signed parts of an answer.
func (s *Service) verify(n backup.Number, a *backup.Answer) *backup.Reply {
	r := &backup.Reply{Answer: *a}
	s.mu.Lock()
	want, audited := s.expected[n]
	delete(s.expected, n)
	s.mu.Unlock()
	network := s.Signer.Network()
	switch a.Code {
	case backup.Stored:
		if storage, err := backup.ParseStorage(network, a.Storage); err == nil {
			r.Storage = &storage
		}
	case backup.Hash:
		r.Proved = audited && a.Hash != nil && *a.Hash == want.proof
	case backup.Gone:
		for _, raw := range a.Receipts {
			if receipt, err := ack.Parse(network, raw); err == nil {
				r.Receipts, r.Raw = append(r.Receipts, receipt), append(r.Raw, raw)
			}
		}
	}
	return r
}
