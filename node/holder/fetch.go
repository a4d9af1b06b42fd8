package holder

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
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
	fetchPause = time.Second      // between one few of those whom the DHT names and the next
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
	early []protocols.Key       // who connected before Run
	vain  map[protocols.Key]int // how often whom the DHT named had nothing
}

// fetch is a question for mail that is not answered.
type fetch struct {
	from  protocols.Key
	page  int
	named bool // by the DHT, as one who has some
}

func newFetches() fetches {
	return fetches{open: make(map[backup.Number]*fetch), asked: make(map[protocols.Key]time.Time), vain: make(map[protocols.Key]int)}
}

// fetchLoop asks for mail when this node comes back, and now and then while it
// stays: those who rank first, if it was in the network before, and those whom
// the DHT names, as soon as it is joined. Whoever connects is asked in any case.
func (s *Service) fetchLoop(ctx context.Context) {
	began, found := time.Now(), new(atomic.Bool)
	for i, step := range fetchSteps {
		if !pause(ctx, step-time.Since(began)) {
			return
		}
		if s.Expected {
			s.fetchFrom(i*fetchWidth, fetchWidth)
		}
		if !found.Load() {
			s.spawn(func() {
				if s.fetchProvided(ctx) {
					found.Store(true)
				}
			})
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
// yesterday's, a few at a time. It says whether there were any.
func (s *Service) fetchProvided(ctx context.Context) bool {
	if s.Providers == nil {
		return false
	}
	var all []protocols.Key
	now := s.Now()
	for _, day := range []time.Time{now, now.Add(-24 * time.Hour)} {
		for _, p := range s.Providers(ctx, mailboxDigest(s.me, day), maxFetches) {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	s.trustedFirst(all)
	for i, p := range all[:min(len(all), maxFetches)] {
		if i > 0 && i%fetchWidth == 0 && !pause(ctx, fetchPause) {
			break
		}
		s.spawn(func() { s.fetchNamed(p) })
	}
	return len(all) > 0
}

// trustedFirst puts those behind who had nothing when the DHT named them: anybody
// can have itself named.
func (s *Service) trustedFirst(all []protocols.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(all, func(a, b protocols.Key) int { return cmp.Compare(s.fetches.vain[a], s.fetches.vain[b]) })
}

// hadMail notes whether a peer that the DHT had named had mail.
func (s *Service) hadMail(p protocols.Key, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if some {
		delete(s.fetches.vain, p)
		return
	}
	if len(s.fetches.vain) >= maxAsked {
		clear(s.fetches.vain)
	}
	s.fetches.vain[p]++
}

// fetchNamed is fetchAt for who is named by the DHT.
func (s *Service) fetchNamed(p protocols.Key) {
	switch {
	case p == s.me:
	case s.connect(p, dialTime) != nil:
		s.hadMail(p, false)
	default:
		s.knock(p, true)
	}
}

// fetchAt dials a peer and asks it for mail.
func (s *Service) fetchAt(p protocols.Key) {
	if p == s.me || s.connect(p, dialTime) != nil {
		return
	}
	s.knock(p, false)
}

// knock asks a connected peer for mail, unless it was asked a moment ago; named:
// the DHT says that it has some.
func (s *Service) knock(p protocols.Key, named bool) {
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
		s.fetchPage(fetch{from: p, named: named}, nil)
	}
}

func (s *Service) fetchPage(f fetch, after *envelope.Digest) {
	s.mu.Lock()
	if len(s.fetches.open) >= maxAsked {
		clear(s.fetches.open)
	}
	s.fetches.last++
	n := fetchBit | s.fetches.last
	s.fetches.open[n] = &f
	s.mu.Unlock()
	q := &backup.Fetch{After: after}
	s.count.asked(q)
	if err := s.Lines.SendBackup(f.from, q.Append(nil, n), nil); err != nil {
		s.mu.Lock()
		delete(s.fetches.open, n)
		delete(s.fetches.asked, f.from)
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
	if f == nil || f.from != p || a.Code != backup.Envelopes {
		return
	}
	if f.named && f.page == 0 {
		s.hadMail(p, len(a.Envelopes) > 0)
	}
	if len(a.Envelopes) == 0 {
		return
	}
	s.count.fetched(len(a.Envelopes))
	last, err := envelope.Parse(a.Envelopes[len(a.Envelopes)-1])
	s.Post.Fetched(p, a.Envelopes)
	if err == nil && a.More && f.page < maxPages {
		d := last.Digest()
		f.page++
		s.fetchPage(*f, &d)
	}
}
