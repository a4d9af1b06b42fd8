package discovery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// ErrNotFound is returned by a source that has not heard of a peer.
var ErrNotFound = errors.New("not found")

// Finder is a source that can be asked for one peer.
type Finder interface {
	Source
	// Find returns the addresses of a peer, at least one, or an error: ErrNotFound
	// from a source that knows nothing of it.
	Find(ctx context.Context, id peer.ID) ([]multiaddr.Multiaddr, error)
}

// Answer is what one source says of where a peer is: a claim.
type Answer struct {
	Source string
	Addrs  []multiaddr.Multiaddr
	Took   time.Duration
	Err    error // ErrNotFound, or why the source could not look
}

// findTimeout bounds how long a source is waited for.
const findTimeout = 15 * time.Second

// Find asks every source that can be asked, at once. The channel takes all
// answers, also if nobody reads them, and is closed after the last.
func (s *Service) Find(ctx context.Context, id peer.ID) <-chan Answer {
	answers := make(chan Answer, len(s.cfg.Sources))
	var asked sync.WaitGroup
	for _, src := range s.cfg.Sources {
		if f, ok := src.(Finder); ok {
			asked.Go(func() { answers <- askOne(ctx, f, id) })
		}
	}
	go func() {
		asked.Wait()
		close(answers)
	}()
	return answers
}

func askOne(ctx context.Context, f Finder, id peer.ID) Answer {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	begun := time.Now()
	addrs, err := f.Find(ctx, id)
	if err == nil && len(addrs) == 0 {
		err = ErrNotFound
	}
	return Answer{Source: f.Name(), Addrs: addrs[:min(len(addrs), maxAddrs)], Took: time.Since(begun), Err: err}
}

// foundOrNot is a finder's answer.
func foundOrNot(addrs []multiaddr.Multiaddr) ([]multiaddr.Multiaddr, error) {
	if len(addrs) == 0 {
		return nil, ErrNotFound
	}
	return addrs, nil
}

// Find implements Finder.
func (c *Cache) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	return foundOrNot(c.Addrs(id))
}

// Find implements Finder.
func (b Bootstrap) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	for _, info := range b {
		if info.ID == id {
			return foundOrNot(info.Addrs)
		}
	}
	return nil, ErrNotFound
}

// Find implements Finder.
func (r *Rendezvous) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	info, err := readNotice(r.file(id))
	if err != nil || info.ID != id {
		return nil, ErrNotFound
	}
	return foundOrNot(info.Addrs)
}

// AddressBook is a source that only answers: with what is known of a peer
// without asking anybody.
type AddressBook func(peer.ID) []multiaddr.Multiaddr

// Name implements Source.
func (AddressBook) Name() string { return "addressbook" }

// Run implements Source.
func (AddressBook) Run(ctx context.Context, _ func(peer.AddrInfo)) error {
	<-ctx.Done()
	return nil
}

// Find implements Finder.
func (b AddressBook) Find(_ context.Context, id peer.ID) ([]multiaddr.Multiaddr, error) {
	return foundOrNot(b(id))
}
