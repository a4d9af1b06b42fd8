package host

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"
)

// quicConns is libp2p's own constructor of QUIC sockets, with quiet ones.
func quicConns(reg prometheus.Registerer, more []quicreuse.Option) any {
	return func(reset quic.StatelessResetKey, token quic.TokenGeneratorKey, rm network.ResourceManager, life fx.Lifecycle) (*quicreuse.ConnManager, error) {
		opts := []quicreuse.Option{
			quicreuse.OverrideListenUDP(listenQuietly),
			quicreuse.ConnContext(accountEarly(rm)),
			quicreuse.VerifySourceAddress(func(a net.Addr) bool { return rm.VerifySourceAddress(a) }),
		}
		if reg != nil {
			opts = append(opts, quicreuse.EnableMetrics(reg))
		}
		cm, err := quicreuse.NewConnManager(reset, token, append(opts, more...)...)
		if err != nil {
			return nil, err
		}
		life.Append(fx.StopHook(cm.Close))
		return cm, nil
	}
}

// accountEarly has the resource manager judge a connection by its address
// before the handshake is paid for.
func accountEarly(rm network.ResourceManager) func(context.Context, *quic.ClientInfo) (context.Context, error) {
	return func(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
		addr, err := quicreuse.ToQuicMultiaddr(client.RemoteAddr, quic.Version1)
		if err != nil {
			addr = nil // the resource manager decides
		}
		scope, err := rm.OpenConnection(network.DirInbound, false, addr)
		if err != nil {
			return ctx, err
		}
		context.AfterFunc(ctx, scope.Done)
		return network.WithConnManagementScope(ctx, scope), nil
	}
}

func listenQuietly(netw string, at *net.UDPAddr) (net.PacketConn, error) {
	c, err := net.ListenUDP(netw, at)
	if err != nil {
		return nil, err
	}
	return &quietConn{UDPConn: c}, nil
}

// quietConn is a UDP socket that takes the buffer sizes it can get. quic-go
// asks for 7 MiB each way, measures what it got through the raw socket, and
// prints a warning if that is less, which it is on most systems. It does not
// measure what does not show its raw socket; so this one shows it only after
// both sizes were asked for. quic-go needs it later, to send many packets at
// once.
type quietConn struct {
	*net.UDPConn
	readSized, writeSized atomic.Bool
}

var errNotYet = errors.New("buffers not sized yet")

// SetReadBuffer asks for a size and is content with less.
func (c *quietConn) SetReadBuffer(bytes int) error {
	c.readSized.Store(true)
	_ = c.UDPConn.SetReadBuffer(bytes)
	c.force(readBuffer, bytes)
	return nil
}

// SetWriteBuffer asks for a size and is content with less.
func (c *quietConn) SetWriteBuffer(bytes int) error {
	c.writeSized.Store(true)
	_ = c.UDPConn.SetWriteBuffer(bytes)
	c.force(writeBuffer, bytes)
	return nil
}

// SyscallConn shows the raw socket once its buffers have been sized.
func (c *quietConn) SyscallConn() (syscall.RawConn, error) {
	if !c.readSized.Load() || !c.writeSized.Load() {
		return nil, errNotYet
	}
	return c.UDPConn.SyscallConn()
}

type buffer bool

const (
	readBuffer  buffer = false
	writeBuffer buffer = true
)
