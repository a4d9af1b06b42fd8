package links

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// openTimeout bounds opening a stream, which waits for nobody unless the peer
// has used up what it grants us.
const openTimeout = 5 * time.Second

// negotiation bounds how long closing a stream waits for the peer's word on the
// protocol.
const negotiation = 5 * time.Second

// lazy is a stream whose protocol is negotiated along with its first bytes.
type lazy struct {
	*counted
	rw io.ReadWriteCloser
}

func (s *lazy) Read(p []byte) (int, error)  { return s.rw.Read(p) }
func (s *lazy) Write(p []byte) (int, error) { return s.rw.Write(p) }

// Close ends both directions once the peer has answered the negotiation.
func (s *lazy) Close() error {
	_ = s.SetReadDeadline(time.Now().Add(negotiation))
	return s.rw.Close()
}

// open opens a stream on c itself, be it a circuit: the host would choose among
// the connections to the peer by its own rules, and prefer a dead one with many
// streams. charged says that what will be written is counted already.
func open(ctx context.Context, c *conn, id protocol.ID, service string, charged bool) (*lazy, error) {
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(ctx, "tom"), openTimeout)
	defer cancel()
	s, err := c.NewStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	if err := account(s, id, service); err != nil {
		_ = s.Reset()
		return nil, fmt.Errorf("account for stream: %w", err)
	}
	on := &counted{Stream: s, on: c, charged: charged}
	return &lazy{counted: on, rw: multistream.NewMSSelect(on, id)}, nil
}

// account tells the resource manager what s is for. Without a service (that of
// the ping we borrow is not ours to name) only the protocol is told.
func account(s network.Stream, id protocol.ID, service string) error {
	if err := s.SetProtocol(id); err != nil {
		return err
	}
	if service == "" {
		return nil
	}
	return s.Scope().SetService(service)
}
