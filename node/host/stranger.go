package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// strangerStays is how long a stranger is kept after it was used last: far longer
// than AutoNAT takes between any two steps of a request.
const strangerStays = 2 * time.Minute

var errStrangerGone = errors.New("the host has been closed")

// stranger is the host that AutoNAT dials back from: who can be reached by it can
// be reached by anybody. It starts one when somebody asks, and closes it when
// nobody has asked for a while, for it takes sockets, some ten goroutines and
// 60 kB, and requests are rare.
//
// It has those methods of a host, of its network and of its peerstore that AutoNAT's
// server calls.
type stranger struct {
	host.Host // nil

	start func() (h host.Host, release func() error, err error)

	mu      sync.Mutex
	h       host.Host    // nil: there is none now
	release func() error // ends h
	used    time.Time    // last
	idle    *time.Timer  // looks whether h is of use still; nil without h
	closed  bool
}

func newStranger(start func() (host.Host, func() error, error)) *stranger {
	return &stranger{start: start}
}

// get returns the host, for a call that is made now.
func (s *stranger) get() (host.Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errStrangerGone
	}
	s.used = time.Now()
	if s.h != nil {
		return s.h, nil
	}
	h, release, err := s.start()
	if err != nil {
		return nil, err
	}
	s.h, s.release = h, release
	s.idle = time.AfterFunc(strangerStays, s.rest)
	return h, nil
}

// rest closes the host if it was not used lately.
func (s *stranger) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.h == nil {
		return
	}
	if left := strangerStays - time.Since(s.used); left > 0 {
		s.idle.Reset(left)
		return
	}
	_ = s.end()
}

// end closes the host; mu is held.
func (s *stranger) end() error {
	if s.h == nil {
		return nil
	}
	s.idle.Stop()
	release := s.release
	s.h, s.release, s.idle = nil, nil, nil
	return release()
}

// Close ends it for good.
func (s *stranger) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.end()
}

// Connect implements host.Host.
func (s *stranger) Connect(ctx context.Context, to peer.AddrInfo) error {
	h, err := s.get()
	if err != nil {
		return err
	}
	return h.Connect(ctx, to)
}

// NewStream implements host.Host.
func (s *stranger) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	h, err := s.get()
	if err != nil {
		return nil, err
	}
	return h.NewStream(ctx, p, ids...)
}

// Network implements host.Host.
func (s *stranger) Network() network.Network { return strangerNetwork{s: s} }

// Peerstore implements host.Host.
func (s *stranger) Peerstore() peerstore.Peerstore { return strangerBook{s: s} }

type strangerNetwork struct {
	network.Network // nil
	s               *stranger
}

// CanDial implements network.Dialer.
func (n strangerNetwork) CanDial(p peer.ID, a multiaddr.Multiaddr) bool {
	h, err := n.s.get()
	return err == nil && h.Network().CanDial(p, a)
}

// ClosePeer implements network.Dialer.
func (n strangerNetwork) ClosePeer(p peer.ID) error {
	h, err := n.s.get()
	if err != nil {
		return err
	}
	return h.Network().ClosePeer(p)
}

type strangerBook struct {
	peerstore.Peerstore // nil
	s                   *stranger
}

// AddAddr implements peerstore.AddrBook.
func (b strangerBook) AddAddr(p peer.ID, a multiaddr.Multiaddr, ttl time.Duration) {
	if h, err := b.s.get(); err == nil {
		h.Peerstore().AddAddr(p, a, ttl)
	}
}

// ClearAddrs implements peerstore.AddrBook.
func (b strangerBook) ClearAddrs(p peer.ID) {
	if h, err := b.s.get(); err == nil {
		h.Peerstore().ClearAddrs(p)
	}
}

// RemovePeer implements peerstore.Peerstore.
func (b strangerBook) RemovePeer(p peer.ID) {
	if h, err := b.s.get(); err == nil {
		h.Peerstore().RemovePeer(p)
	}
}
