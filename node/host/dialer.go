package host

import (
	"crypto/rand"
	"errors"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	blankhost "github.com/libp2p/go-libp2p/p2p/host/blank"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	quicgo "github.com/quic-go/quic-go"
)

// dialer starts a host that only dials, under a name and from a port that nobody
// knows.
func (c *Config) dialer(rm network.ResourceManager) (h host.Host, release func() error, err error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	book, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(book.AddPrivKey(id, key), book.AddPubKey(id, key.GetPublic())); err != nil {
		return nil, nil, errors.Join(err, book.Close())
	}
	bus := eventbus.NewBus()
	net, err := swarm.NewSwarm(id, book, bus,
		swarm.WithResourceManager(rm),
		swarm.WithDialRanker(swarm.NoDelayDialRanker),
		swarm.WithUDPBlackHoleSuccessCounter(nil),
		swarm.WithIPv6BlackHoleSuccessCounter(nil),
	)
	if err != nil {
		return nil, nil, errors.Join(err, book.Close())
	}
	sockets, err := c.addDialers(net, key, rm)
	if err != nil {
		return nil, nil, errors.Join(err, net.Close(), book.Close())
	}
	release = func() error { return errors.Join(net.Close(), sockets.Close(), book.Close()) }
	return blankhost.NewBlankHost(net, blankhost.WithEventBus(bus)), release, nil
}

// addDialers gives net the transports that a node of ours may listen on, but for
// those that only browsers need.
func (c *Config) addDialers(net transport.TransportNetwork, key crypto.PrivKey, rm network.ResourceManager) (*quicreuse.ConnManager, error) {
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	tlsSec, err := tls.New(tls.ID, key, muxers)
	if err != nil {
		return nil, err
	}
	noiseSec, err := noise.New(noise.ID, key, muxers)
	if err != nil {
		return nil, err
	}
	var open pnet.PSK
	up, err := upgrader.New([]sec.SecureTransport{tlsSec, noiseSec}, muxers, open, rm, nil)
	if err != nil {
		return nil, err
	}
	t, err := tcp.NewTCPTransport(up, rm, nil, tcp.DisableReuseport())
	if err != nil {
		return nil, err
	}
	ws, err := websocket.New(up, rm, nil)
	if err != nil {
		return nil, err
	}
	var reset quicgo.StatelessResetKey
	var token quicgo.TokenGeneratorKey
	_, _ = rand.Read(reset[:])
	_, _ = rand.Read(token[:])
	sockets, err := quicreuse.NewConnManager(reset, token,
		append([]quicreuse.Option{quicreuse.OverrideListenUDP(listenQuietly)}, c.QUIC...)...)
	if err != nil {
		return nil, err
	}
	q, err := quic.NewTransport(key, sockets, open, nil, rm)
	if err != nil {
		return nil, errors.Join(err, sockets.Close())
	}
	if err := errors.Join(net.AddTransport(q), net.AddTransport(t), net.AddTransport(ws)); err != nil {
		return nil, errors.Join(err, sockets.Close())
	}
	return sockets, nil
}
