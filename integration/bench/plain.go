package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
)

// Plain frames are the yardstick: each body in a frame of its own with a number,
// which a frame of the other direction acknowledges, over one libp2p QUIC
// stream. Nothing is sealed, signed or stored. Frames are handed over one at a
// time, as programs do, and both sides put all that is queued into one write.
const plainProtocol = "/bench/plain/1"

func plainHost() (host.Host, error) {
	return libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/udp/0/quic-v1"),
		libp2p.Transport(quic.NewTransport),
		libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPrivate(),
		libp2p.ResourceManager(&network.NullResourceManager{}), libp2p.ConnectionManager(&connmgr.NullConnMgr{}),
	)
}

type plainReceiver struct{ host host.Host }

func plainReceive(string) (receiver, error) {
	h, err := plainHost()
	if err != nil {
		return nil, err
	}
	h.SetStreamHandler(plainProtocol, func(s network.Stream) {
		if err := acknowledge(s); err != nil {
			s.Reset()
			return
		}
		s.Close()
	})
	return plainReceiver{h}, nil
}

func (r plainReceiver) address() string {
	return fmt.Sprintf("%s/p2p/%s", r.host.Addrs()[0], r.host.ID())
}

func (r plainReceiver) close() error { return r.host.Close() }

// acknowledge answers every frame with its number.
func acknowledge(s network.Stream) error {
	in, out := bufio.NewReaderSize(s, 64<<10), newCoalescer(s)
	defer out.close()
	var frame []byte
	for {
		var err error
		if frame, err = readFrame(in, frame); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		out.send(frame[:numberSize], nil)
	}
}

type plainSender struct {
	host   host.Host
	stream network.Stream
	in     *bufio.Reader
	out    *coalescer
	number uint64 // of the next frame
}

func plainSend(_, address string) (sender, error) {
	s, err := plainSendOn(plainProtocol, address)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func plainSendOn(p protocol.ID, address string) (*plainSender, error) {
	h, err := plainHost()
	if err != nil {
		return nil, err
	}
	s := &plainSender{host: h}
	if err := s.open(p, address); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	s.in, s.out = bufio.NewReaderSize(s.stream, 64<<10), newCoalescer(s.stream)
	return s, nil
}

func (s *plainSender) open(p protocol.ID, address string) error {
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.host.Connect(ctx, *info); err != nil {
		return err
	}
	s.stream, err = s.host.NewStream(ctx, info.ID, p)
	return err
}

func (s *plainSender) close() error {
	s.out.close()
	return errors.Join(s.stream.Close(), s.host.Close())
}

func (s *plainSender) singles(n int) ([]time.Duration, error) { return oneByOne(s, n) }

func (s *plainSender) burst(n, window int) (time.Duration, error) {
	bodies := makeBodies(n)
	free := make(chan struct{}, window)
	for range window {
		free <- struct{}{}
	}
	failed := make(chan error, 1)
	first := s.number
	begin := time.Now()
	go func() { failed <- s.readAcks(first, n, free) }()
	var number [numberSize]byte
	for _, body := range bodies {
		if _, open := <-free; !open {
			break
		}
		binary.BigEndian.PutUint64(number[:], s.number)
		s.out.send(number[:], body)
		s.number++
	}
	err := <-failed
	return time.Since(begin), err
}

// readAcks reads n acknowledgements, which must be in order, and gives their
// places in the window free.
func (s *plainSender) readAcks(next uint64, n int, free chan<- struct{}) error {
	defer close(free)
	var frame []byte
	for range n {
		var err error
		if frame, err = readFrame(s.in, frame); err != nil {
			return err
		}
		if binary.BigEndian.Uint64(frame) != next {
			return errors.New("an acknowledgement is missing")
		}
		next++
		free <- struct{}{} // never blocks: it was taken for this frame
	}
	return nil
}
