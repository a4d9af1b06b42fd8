package holder

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Looking for mail.
const (
	fetchWidth = 8                // nodes that are asked at a time
	maxFetches = 32               // nodes that are asked on return
	fetchAgain = 30 * time.Second // between two questions to one peer
	fetchEvery = time.Hour        // between two rounds of a node that stays
	maxAsked   = 4096             // peers that are remembered as asked
	maxPages   = 1024             // of one peer, one after the other
)

// fetchSteps are the times after the start at which the next few are asked.
var fetchSteps = []time.Duration{500 * time.Millisecond, 2 * time.Second, 6 * time.Second, 15 * time.Second}

// fetchBit marks the numbers of the service's own questions; the keeper's are
// without.
const fetchBit = 1 << 63

func isFetch(n backup.Number) bool { return n&fetchBit != 0 }

// fetches is what the service remembers of its questions for mail.
type fetches struct {
	last  backup.Number
	open  map[backup.Number]*fetch
	asked map[protocols.Key]time.Time
	early []protocols.Key // who connected before Run
}

// fetch is a question for mail that is not answered.
type fetch struct {
	from protocols.Key
	page int
}

func newFetches() fetches {
	return fetches{open: make(map[backup.Number]*fetch), asked: make(map[protocols.Key]time.Time)}
}

// fetchLoop asks for mail when this node comes back, and now and then while it
// stays. Whoever connects is asked in any case.
func (s *Service) fetchLoop(ctx context.Context) {
	if !s.Expected {
		return
	}
	began := time.Now()
	for i, step := range fetchSteps {
		if !pause(ctx, step-time.Since(began)) {
			return
		}
		s.fetchFrom(i*fetchWidth, fetchWidth)
		if i == 1 {
			s.spawn(func() { s.fetchProvided(ctx) })
		}
	}
	for pause(ctx, fetchEvery) {
		s.fetchFrom(0, fetchWidth)
		s.fetchProvided(ctx)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// fetchFrom asks n of those who rank first among the holders of this node's
// mail, after so many others.
func (s *Service) fetchFrom(after, n int) {
	all := s.Config.Candidates(s.me)
	backup.Sort(s.me, all)
	all = all[min(after, len(all)):]
	for _, c := range all[:min(n, len(all))] {
		s.spawn(func() { s.fetchAt(c.Key) })
	}
}

// fetchProvided asks those whom the DHT names as holders, today's and
// yesterday's.
func (s *Service) fetchProvided(ctx context.Context) {
	if s.Providers == nil {
		return
	}
	now := s.Now()
	for _, day := range []time.Time{now, now.Add(-24 * time.Hour)} {
		for _, p := range s.Providers(ctx, mailboxDigest(s.me, day), maxFetches) {
			s.spawn(func() { s.fetchAt(p) })
		}
	}
}

// fetchAt dials a peer and asks it for mail.
func (s *Service) fetchAt(p protocols.Key) {
	if p == s.me || s.connect(p, dialTime) != nil {
		return
	}
	s.knock(p)
}

// knock asks a connected peer for mail, unless it was asked a moment ago.
func (s *Service) knock(p protocols.Key) {
	now := s.Now()
	s.mu.Lock()
	select {
	case <-s.ready:
	default:
		if len(s.fetches.early) < maxAsked {
			s.fetches.early = append(s.fetches.early, p)
		}
		s.mu.Unlock()
		return
	}
	recent := now.Sub(s.fetches.asked[p]) < fetchAgain
	if !recent {
		if len(s.fetches.asked) >= maxAsked {
			clear(s.fetches.asked)
		}
		s.fetches.asked[p] = now
	}
	s.mu.Unlock()
	if !recent {
		s.fetchPage(p, nil, 0)
	}
}

func (s *Service) fetchPage(p protocols.Key, after *envelope.Digest, page int) {
	s.mu.Lock()
	if len(s.fetches.open) >= maxAsked {
		clear(s.fetches.open)
	}
	s.fetches.last++
	n := fetchBit | s.fetches.last
	s.fetches.open[n] = &fetch{from: p, page: page}
	s.mu.Unlock()
	q := &backup.Fetch{After: after}
	s.count.asked(q)
	if err := s.Lines.SendBackup(p, q.Append(nil, n), nil); err != nil {
		s.mu.Lock()
		delete(s.fetches.open, n)
		delete(s.fetches.asked, p)
		s.mu.Unlock()
	}
}

// fetched takes in a page of mail, and asks for the next.
func (s *Service) fetched(p protocols.Key, n backup.Number, a *backup.Answer) {
	s.mu.Lock()
	f := s.fetches.open[n]
	if f != nil && f.from == p {
		delete(s.fetches.open, n)
	}
	s.mu.Unlock()
	if f == nil || f.from != p || a.Code != backup.Envelopes || len(a.Envelopes) == 0 {
		return
	}
	s.count.fetched(len(a.Envelopes))
	last, err := envelope.Parse(a.Envelopes[len(a.Envelopes)-1])
	s.Post.Fetched(p, a.Envelopes)
	if err == nil && a.More && f.page < maxPages {
		d := last.Digest()
		s.fetchPage(p, &d, f.page+1)
	}
}
