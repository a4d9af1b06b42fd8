package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A plain hub is the yardstick for groups: an author's frames go over one stream
// each to all members, who acknowledge each of them; what all have acknowledged
// is acknowledged to the author.
const (
	fanProtocol    = "/bench/fan/1"
	authorProtocol = "/bench/fan/author/1"
)

type fanHub struct {
	host host.Host

	mu      sync.Mutex
	members []*coalescer
	author  *coalescer
	counts  [16 * window]int // acknowledgements of a frame, by its number
}

func openFanHub(context.Context, order) (worker, answer, error) {
	h, err := plainHost()
	if err != nil {
		return nil, answer{}, err
	}
	f := &fanHub{host: h}
	h.SetStreamHandler(fanProtocol, func(s network.Stream) { f.serve(s, f.member) })
	h.SetStreamHandler(authorProtocol, func(s network.Stream) { f.serve(s, f.fanOut) })
	return f, answer{Address: fmt.Sprintf("%s/p2p/%s", h.Addrs()[0], h.ID())}, nil
}

func (f *fanHub) do(context.Context, order) (answer, error) { return answer{}, errOrder }
func (f *fanHub) close() error                              { return f.host.Close() }

// serve reads a stream's frames to their end.
func (f *fanHub) serve(s network.Stream, begin func(*coalescer) func(frame []byte)) {
	out := newCoalescer(s)
	defer out.close()
	in, take := bufio.NewReaderSize(s, 64<<10), begin(out)
	var frame []byte
	for {
		var err error
		if frame, err = readFrame(in, frame); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			_ = s.Reset()
			return
		}
		take(frame)
	}
}

// fanOut takes frames of the author.
func (f *fanHub) fanOut(out *coalescer) func([]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.author = out
	members := f.members
	return func(frame []byte) {
		for _, m := range members {
			m.send(frame, nil)
		}
	}
}

// member takes the acknowledgements of a member.
func (f *fanHub) member(out *coalescer) func([]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, out)
	return func(frame []byte) {
		f.mu.Lock()
		n := &f.counts[binary.BigEndian.Uint64(frame)%uint64(len(f.counts))]
		if *n++; *n < len(f.members) {
			f.mu.Unlock()
			return
		}
		*n = 0
		f.mu.Unlock()
		f.author.send(frame[:numberSize], nil)
	}
}

type fanMembers []plainReceiver

// openFanMembers runs some members, each with a host and a stream of its own.
func openFanMembers(ctx context.Context, o order) (worker, answer, error) {
	var all fanMembers
	info, err := peer.AddrInfoFromString(o.Address)
	if err != nil {
		return nil, answer{}, err
	}
	for range o.N {
		h, err := plainHost()
		if err != nil {
			return nil, answer{}, errors.Join(err, all.close())
		}
		all = append(all, plainReceiver{h})
		if err := h.Connect(ctx, *info); err != nil {
			return nil, answer{}, errors.Join(err, all.close())
		}
		s, err := h.NewStream(ctx, info.ID, fanProtocol)
		if err == nil {
			_, err = s.Write(nil) // lets the other side know of it
		}
		if err != nil {
			return nil, answer{}, errors.Join(err, all.close())
		}
		go func() {
			if acknowledge(s) != nil {
				_ = s.Reset()
			}
		}()
	}
	return all, answer{}, nil
}

func (f fanMembers) do(context.Context, order) (answer, error) { return answer{}, errOrder }

func (f fanMembers) close() error {
	errs := make([]error, len(f))
	var ending sync.WaitGroup
	for i, m := range f {
		ending.Go(func() { errs[i] = m.close() })
	}
	ending.Wait()
	return errors.Join(errs...)
}

type fanAuthor struct{ *plainSender }

func openFanAuthor(_ context.Context, o order) (worker, answer, error) {
	s, err := plainSendOn(authorProtocol, o.Address)
	if err != nil {
		return nil, answer{}, err
	}
	return fanAuthor{s}, answer{}, nil
}

func (f fanAuthor) do(_ context.Context, o order) (a answer, err error) {
	switch o.Do {
	case "burst":
		a.Took, err = f.burst(o.N, o.Window)
	case "singles":
		a.Each, err = f.singles(o.N)
	default:
		err = errOrder
	}
	return a, err
}
