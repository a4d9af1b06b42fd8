package groups

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-log/v2"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
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
	boxed  *envelope.Verifier // of boxes

	running chan struct{} // closed when Run begins

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before
	rooms   map[wire.GroupID]*room
	joining map[wire.GroupID]*joining
	served  served
	work    sync.WaitGroup
	wishes  []*joining // under way at the last end
}

// New makes a service and reads what it had. Run keeps it going.
func New(cfg Config) (*Service, error) {
	s := &Service{
		cfg: cfg, self: cfg.Signer.Public(),
		rooms: make(map[wire.GroupID]*room), joining: make(map[wire.GroupID]*joining),
		count: newCounters(cfg.Registerer), boxed: envelope.NewVerifier(cfg.Signer.Network()), running: make(chan struct{}), served: newServed(),
	}
	s.dialer = newDialer(cfg.Lines, s.count)
	stored, err := s.loadAll()
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	for _, st := range stored {
		if st.place.serves() && cfg.Serving == nil { // its user forbids it since
			if err := s.erase(st.charter.Group()); err != nil {
				return nil, err
			}
			continue
		}
		r, err := s.restore(st)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", st.charter.Group(), err)
		}
		s.rooms[r.id] = r
	}
	s.counted()
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
	case !r.place.serves() && len(s.sort(false)) >= maxGroups:
		return ErrTooMany
	}
	s.rooms[r.id] = r
	s.counted()
	s.start(r)
	return nil
}

// seated is the room of a group, whether this node is in it or only serves it.
func (s *Service) seated(id wire.GroupID) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[id]
}

// room is the room of a group that this node is in.
func (s *Service) room(id wire.GroupID) *room {
	if r := s.seated(id); r != nil && !r.place.serves() {
		return r
	}
	return nil
}

// all are the rooms of groups that this node is in.
func (s *Service) all() []*room { return s.of(false) }

// of are the rooms of groups that this node is in, or of those that it serves.
func (s *Service) of(served bool) []*room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sort(served)
}

// sort is of while s.mu is held.
func (s *Service) sort(served bool) []*room {
	list := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		if r.place.serves() == served {
			list = append(list, r)
		}
	}
	return list
}

// counted shows how many there are. s.mu is held, or nobody else is there.
func (s *Service) counted() { s.count.rooms(len(s.sort(false)), len(s.sort(true))) }

// forget drops a room that has ended, and what it had on disk.
func (s *Service) forget(r *room) {
	s.mu.Lock()
	delete(s.rooms, r.id)
	s.counted()
	s.mu.Unlock()
	r.relate(map[protocols.Key]bool{})
	if err := errors.Join(s.erase(r.id), s.tellInvite(r.id)); err != nil {
		logger.Errorw("group not erased", "group", r.id, "err", err)
	}
}
