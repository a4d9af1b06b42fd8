package groups

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-log/v2"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

var logger = log.Logger("tom/groups")

// Service keeps a node's places in its groups: it gives each seat its frames,
// its disk and its time. Every group has a goroutine of its own, which nothing
// waits for but those who speak in it.
type Service struct {
	cfg    Config
	self   protocols.Key
	dialer *dialer
	count  *counters

	running chan struct{} // closed when Run begins

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before
	rooms   map[wire.GroupID]*room
	joining map[wire.GroupID]*joining
	work    sync.WaitGroup
	wishes  []*joining // under way at the last end
}

// New makes a service and reads what it had. Run keeps it going.
func New(cfg Config) (*Service, error) {
	s := &Service{
		cfg: cfg, self: cfg.Signer.Public(),
		rooms: make(map[wire.GroupID]*room), joining: make(map[wire.GroupID]*joining),
		count: newCounters(cfg.Registerer), running: make(chan struct{}),
	}
	s.dialer = newDialer(cfg.Lines, s.count)
	stored, err := s.loadAll()
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	for _, st := range stored {
		r, err := s.restore(st)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", st.charter.Group(), err)
		}
		s.rooms[r.id] = r
	}
	s.count.rooms(len(s.rooms))
	if s.wishes, err = s.loadWishes(); err != nil {
		return nil, fmt.Errorf("read joins: %w", err)
	}
	return s, nil
}

// Run keeps the groups going until ctx ends. It may be called once.
func (s *Service) Run(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	close(s.running)
	for _, r := range s.rooms {
		s.start(r)
	}
	for _, j := range s.wishes {
		s.work.Go(func() { s.resume(ctx, j) })
	}
	s.mu.Unlock()
	s.dialer.run(ctx)
	s.work.Wait()
	return nil
}

// start lets a room's goroutine go. s.mu is held.
func (s *Service) start(r *room) {
	if s.ctx == nil || s.ctx.Err() != nil {
		return
	}
	s.work.Go(func() { r.run(s.ctx) })
}

// admit adds a room that has been made. Before Run it begins with Run.
func (s *Service) admit(r *room) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx != nil && s.ctx.Err() != nil:
		return ErrStopped
	case s.rooms[r.id] != nil:
		return ErrMember
	case len(s.rooms) >= maxGroups:
		return ErrTooMany
	}
	s.rooms[r.id] = r
	s.count.rooms(len(s.rooms))
	s.start(r)
	return nil
}

func (s *Service) room(id wire.GroupID) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[id]
}

func (s *Service) all() []*room {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		list = append(list, r)
	}
	return list
}

// forget drops a room that has ended, and what it had on disk.
func (s *Service) forget(r *room) {
	s.mu.Lock()
	delete(s.rooms, r.id)
	s.count.rooms(len(s.rooms))
	s.mu.Unlock()
	if err := errors.Join(s.erase(r.id), s.tellInvite(r.id)); err != nil {
		logger.Errorw("group not erased", "group", r.id, "err", err)
	}
}
