package stress

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// stage is where one phase plays: its daemons, its books, and what it shows.
type stage struct {
	cfg    Config
	budget time.Duration // for all of it
	begin  time.Time
	rng    *rand.Rand // of the phase's own goroutine
	out    *output
	book   *book
	fleet  *fleet.Fleet // nil against a listener elsewhere
	result *verdict.Result

	sending time.Time // when the first message was due
	sent    time.Time // when the last was accepted
	steps   []step

	following sync.WaitGroup
	unfollow  context.CancelFunc
	follows   context.Context

	mu     sync.Mutex // guards what follows, and result.Events
	counts *Counts    // what the listener elsewhere has answered last
	killed bool       // a daemon was, and its last counts with it
}

func newStage(ctx context.Context, cfg Config, p phase, budget time.Duration, out *output) *stage {
	s := &stage{
		cfg: cfg, budget: budget, begin: time.Now(), out: out,
		rng:  rand.New(rand.NewPCG(cfg.Seed, uint64(len(p.name)))),
		book: newBook(fmt.Sprintf("%s-%x", p.name, time.Now().UnixNano())),
	}
	s.follows, s.unfollow = context.WithCancel(ctx)
	s.result = &verdict.Result{Phase: p.name, About: p.about, Began: s.begin}
	return s
}

// part is a share of the phase's time.
func (s *stage) part(share float64) time.Duration {
	return time.Duration(share * float64(s.budget))
}

// least is how long a phase sends in any case, however long it took to begin.
const least = 2 * time.Second

// left is what is left of a share of the phase's time.
func (s *stage) left(share float64) time.Duration {
	return max(least, s.part(share)-time.Since(s.begin))
}

// say notes something that was done, or happened.
func (s *stage) say(format string, args ...any) {
	h := verdict.Happening{At: time.Now(), What: fmt.Sprintf(format, args...)}
	s.mu.Lock()
	if len(s.result.Events) < maxEvents {
		s.result.Events = append(s.result.Events, h)
	}
	s.mu.Unlock()
	s.out.happened(s.result.Phase, h, s.begin)
}

// maxEvents bounds what is told of one phase.
const maxEvents = 10_000

// daemons starts some, as ends of conversations.
func (s *stage) daemons(ctx context.Context, names ...string) ([]*fleet.Member, error) {
	var all []*fleet.Member
	for _, name := range names {
		m, err := s.fleet.Start(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func endOf(m *fleet.Member) end { return end{name: m.Name, id: m.ID(), client: m.Client} }

// acquaint makes each a contact of each other, as people who write to each other
// are: so each sees the others come and go.
func (s *stage) acquaint(ctx context.Context, members ...*fleet.Member) error {
	for _, m := range members {
		for _, other := range members {
			if m == other {
				continue
			}
			if _, err := m.Client.AddContact(ctx, other.Identity().Link, other.Name); err != nil {
				return fmt.Errorf("make %s a contact of %s: %w", other.Name, m.Name, err)
			}
		}
	}
	return nil
}

// attend counts what comes to these daemons and what becomes of what they send,
// over all their lives, until the phase ends.
func (s *stage) attend(members ...*fleet.Member) {
	names := map[string]string{}
	for _, m := range members {
		names[m.ID()] = m.Name
	}
	for _, m := range members {
		s.following.Go(func() {
			follow(s.follows, m.Client, 0, func(e localapi.Event) { s.noticed(m.Name, names, e) })
		})
	}
}

// noticed is an event of one of the daemons here.
func (s *stage) noticed(who string, names map[string]string, e localapi.Event) {
	now := time.Now()
	switch e.Kind {
	case localapi.EventState:
		s.book.became(e.ID, e.State, now)
	case localapi.EventReceived:
		if e.Message != nil {
			s.book.heard(e.Message, now)
		}
	case localapi.EventPeer:
		if name := names[e.Peer]; name != "" {
			s.say("%s sees %s %s", who, name, e.State)
		}
	}
}

// settle waits until every message that was accepted is at the other end, and
// its receipt back; if that takes too long the counts show what is missing.
func (s *stage) settle(ctx context.Context) {
	if s.sent.IsZero() {
		s.sent = time.Now()
	}
	if s.cfg.To != "" {
		s.book.until(ctx, s.cfg.Patience, (*ledger.Ledger).Signed)
		s.compare(ctx)
		return
	}
	s.book.until(ctx, s.cfg.Patience, (*ledger.Ledger).Settled)
}

// kill ends a daemon with SIGKILL.
func (s *stage) kill(m *fleet.Member) {
	_ = m.Look(s.follows) // its counts end with it
	s.mourn()
	m.Kill()
	s.say("%s is killed (SIGKILL)", m.Name)
}

// mourn notes that a daemon has ended, and its last counts with it.
func (s *stage) mourn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed = true
}

func (s *stage) mourned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.killed
}

// back starts a daemon again that was ended.
func (s *stage) back(ctx context.Context, m *fleet.Member, args ...string) error {
	began := time.Now()
	if err := m.Again(ctx, args...); err != nil {
		return err
	}
	s.say("%s is started again, and answers after %v", m.Name, time.Since(began).Round(time.Millisecond))
	return nil
}

// close ends the phase's daemons: as a user would, and then for sure.
func (s *stage) close(ctx context.Context) {
	s.unfollow()
	s.following.Wait()
	if s.fleet == nil {
		return
	}
	for _, m := range s.fleet.Members() {
		if err := m.Crashed(); err != nil {
			s.result.Want(verdict.Fine("no daemon ends by itself", err))
		}
	}
	short, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s.result.Want(verdict.Fine("daemons stop in order", s.fleet.Stop(short)))
	if err := s.fleet.Close(); err != nil {
		s.result.Notes = append(s.result.Notes, err.Error())
	}
}
