package links

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/stream"
)

// Inbound is a stream that a neighbour has opened here. Its methods are for any
// goroutine.
type Inbound struct {
	peer Peer
	path delivery.Path
	kind kind
	line *stream.Line
	l    *Links
	n    *neighbour
	conn *conn
}

// Peer is who opened the stream, authenticated by the connection.
func (in *Inbound) Peer() Peer { return in.peer }

// Path is how the connection goes that the stream is on.
func (in *Inbound) Path() delivery.Path { return in.path }

// Answer queues a frame for the way back, and owns it from then on. It never
// blocks; a peer that does not read its answers loses its stream.
func (in *Inbound) Answer(frame []byte) error {
	err := in.line.Send(frame, nil)
	if errors.Is(err, stream.ErrFull) {
		in.line.Reset()
	}
	return err
}

// Misbehaved ends the stream because the peer broke the rules, as err says, and
// takes from its allowance of streams.
func (in *Inbound) Misbehaved(err error) {
	in.l.count.misbehaved(in.kind)
	logger.Debugw("peer misbehaved", "peer", in.peer, "protocol", in.kind.String(), "err", err)
	in.n.opening.ReserveN(time.Now(), min(in.l.cfg.Limits.Misdeed, in.n.opening.Burst()))
	in.line.Reset()
}

// server returns the handler of streams of one kind.
func (l *Links) server(k kind) network.StreamHandler {
	return func(s network.Stream) {
		if !l.awaitStart() || !l.enter() {
			_ = s.Reset()
			return
		}
		defer l.work.Done()
		l.count.served(k, l.serve(k, s))
	}
}

// startWait is how long a stream may wait for Run: a host takes connections a
// moment before its links run.
const startWait = 5 * time.Second

func (l *Links) awaitStart() bool {
	select {
	case <-l.started:
		return true
	default:
	}
	late := time.NewTimer(startWait)
	defer late.Stop()
	select {
	case <-l.started:
		return true
	case <-late.C:
		return false
	}
}

// outcome is what became of an incoming stream, in a word for the metrics.
type outcome string

const (
	finished   outcome = "finished"   // the peer or silence ended it
	foreign    outcome = "foreign"    // the peer's key is not one of ours
	crowded    outcome = "crowded"    // it has enough streams open
	hasty      outcome = "hasty"      // it opens them too fast
	starved    outcome = "starved"    // the resource manager refused
	broken     outcome = "broken"     // it ended in mid frame or against the rules
	overlooked outcome = "overlooked" // its connection was gone before we came to it
)

// serve accounts for a stream, bounds it, and only then reads it.
func (l *Links) serve(k kind, s network.Stream) outcome {
	if err := s.Scope().SetService(k.service()); err != nil {
		_ = s.Reset()
		return starved
	}
	l.connected(s.Conn()) // the stream may be quicker than the word of its connection
	c, refused := l.admit(k, s.Conn())
	if c == nil {
		_ = s.Reset()
		return refused
	}
	defer l.leave(k, c)
	lim := l.cfg.Limits.Line
	lim.Memory = s.Scope()
	lim.Idle += lim.Idle / 2 // the one who opened it closes it
	if k == heartbeats {
		lim.Frame = heartbeat.MaxFrame
	}
	in := &Inbound{
		peer: c.of.key, path: c.path, kind: k,
		line: l.newLine(&counted{Stream: s, on: c}, lim), l: l, n: c.of, conn: c,
	}
	l.track(in.line)
	defer l.untrack(in.line)
	return in.read()
}

// admit lets a peer have one stream more, or says why not.
func (l *Links) admit(k kind, on network.Conn) (*conn, outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[on.RemotePeer()]
	if n == nil {
		return nil, overlooked
	}
	c := n.find(on)
	switch {
	case n.alien:
		return nil, foreign
	case c == nil:
		return nil, overlooked
	case n.in[k] >= l.cfg.Limits.Streams:
		return nil, crowded
	case !n.opening.Allow():
		return nil, hasty
	}
	n.in[k]++
	c.in++
	l.noteSpeaks(n)
	return c, ""
}

func (l *Links) leave(k kind, c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.of.in[k]--
	c.in--
}

// noteTalk notes that a conversation goes on.
func (l *Links) noteTalk(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.of.talked = time.Now()
	if c.quota.low() && c == c.of.used {
		l.renew(c.of)
	}
}

// read serves the stream until it ends.
func (in *Inbound) read() outcome {
	defer in.line.Close()
	var frames [][]byte
	for {
		var err error
		frames, err = in.line.Receive(frames[:0])
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return finished
		case err != nil:
			return broken
		}
		in.l.count.received(in.kind, "in", len(frames))
		if err := in.handle(frames); err != nil {
			in.Misbehaved(err)
			return broken
		}
	}
}

func (in *Inbound) handle(frames [][]byte) error {
	if in.kind != heartbeats {
		in.l.noteTalk(in.conn)
	}
	switch in.kind {
	case envelopes:
		in.l.cfg.Handlers.Envelopes(in, frames)
	case acks:
		in.l.cfg.Handlers.Acks(in, frames)
	case backups:
		in.l.cfg.Handlers.Questions(in, frames)
	case groups:
		in.l.cfg.Handlers.Group(in, frames)
	case hubs:
		in.l.cfg.Handlers.Hub(in, frames)
	case heartbeats:
		for _, f := range frames {
			if err := in.heartbeat(f); err != nil {
				return fmt.Errorf("heartbeat: %w", err)
			}
		}
	}
	return nil
}

// heartbeat takes in one frame of the heartbeat protocol.
func (in *Inbound) heartbeat(frame []byte) error {
	kind, err := protocols.FrameType(frame)
	if err != nil {
		return err
	}
	if kind != heartbeat.TypeHello && !in.n.beats.Allow() {
		return errHasty
	}
	switch kind {
	case heartbeat.TypeHello:
		return in.l.answerHello(in, in.conn.Conn, frame)
	case heartbeat.TypeBeat:
		return in.l.answerBeat(in, frame)
	case heartbeat.TypePresence:
		in.l.cfg.Handlers.Presence(in.peer, frame)
	}
	return nil // or of a later version
}
