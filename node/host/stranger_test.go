package host

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
)

// lodging counts how often a stranger comes and goes.
type lodging struct {
	came, left int
	err        error // nobody comes
}

func (l *lodging) start() (host.Host, func() error, error) {
	if l.err != nil {
		return nil, nil, l.err
	}
	h, release, err := new(Config).dialer(&network.NullResourceManager{})
	l.came++
	return h, func() error { l.left++; return release() }, err
}

func TestAStrangerIsThereWhileSomebodyAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := new(lodging)
		s := newStranger(l.start)
		quic := multiaddr.StringCast("/ip4/192.0.0.200/udp/4001/quic-v1")
		asks := func() bool { return s.Network().CanDial(peer.ID("somebody"), quic) }
		is := func(came, left int, when string) {
			t.Helper()
			if l.came != came || l.left != left {
				t.Errorf("%s: it came %d and left %d times, want %d and %d", when, l.came, l.left, came, left)
			}
		}
		is(0, 0, "before anybody asks")
		if !asks() {
			t.Error("cannot dial QUIC")
		}
		for range 3 {
			virtual.Pass(strangerStays - time.Second)
			s.Peerstore().AddAddr("somebody", quic, time.Minute)
		}
		is(1, 0, "while it is used")
		virtual.Pass(strangerStays + time.Second)
		is(1, 1, "when nobody has asked for long")
		if !asks() {
			t.Error("cannot dial QUIC any more")
		}
		is(2, 1, "when somebody asks again")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		is(2, 2, "after the end")
		if asks() {
			t.Error("can dial after the end")
		}
		if err := s.Connect(t.Context(), peer.AddrInfo{ID: "somebody"}); !errors.Is(err, errStrangerGone) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestAStrangerWhoCannotComeIsAskedAgain(t *testing.T) {
	t.Parallel()
	l := &lodging{err: errors.New("no more sockets")}
	s := newStranger(l.start)
	defer s.Close()
	tcp := multiaddr.StringCast("/ip4/192.0.0.200/tcp/4001")
	if s.Network().CanDial("somebody", tcp) {
		t.Error("can dial without a host")
	}
	if _, err := s.NewStream(t.Context(), "somebody", "/any"); !errors.Is(err, l.err) {
		t.Errorf("a stream without a host: %v", err)
	}
	if s.Peerstore().ClearAddrs("somebody"); l.came != 0 {
		t.Error("it has come")
	}
	l.err = nil
	if !s.Network().CanDial("somebody", tcp) {
		t.Error("cannot dial when there are sockets again")
	}
}
