package links

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/stream"
)

// helloTimeout is how long a peer has to answer our hello.
const helloTimeout = 10 * time.Second

// errTwice: one hello is enough on a connection.
var errTwice = errors.New("more than one hello")

// greet exchanges hellos on a new connection. Who dialled speaks first; who was
// dialled speaks up if nothing comes.
func (l *Links) greet(ctx context.Context, c *conn) {
	if c.Stat().Direction != network.DirOutbound && !l.stillSilent(ctx, c) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	if err := l.sayHello(ctx, c); err != nil {
		l.count.helloFailed.Inc()
		logger.Debugw("no hello", "peer", c.RemotePeer(), "err", err)
	}
}

// stillSilent waits for the other side to speak first.
func (l *Links) stillSilent(ctx context.Context, c *conn) bool {
	wait := time.NewTimer(l.cfg.Limits.HelloWait)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.closed:
		return false
	case <-wait.C:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return !c.greeted
}

// sayHello sends our hello on a stream of its own and takes in the answer.
func (l *Links) sayHello(ctx context.Context, c *conn) error {
	s, err := open(ctx, c, l.ids[heartbeats], heartbeats.service(), false)
	if err != nil {
		return err
	}
	line := l.newLine(s, stream.Limits{Frame: heartbeat.MaxSize, QueueFrames: 1, Idle: -1})
	defer func() { <-line.Done() }()
	defer line.Close()
	stop := context.AfterFunc(ctx, line.Reset)
	defer stop()

	begun := time.Now()
	if err := line.Send(l.cfg.Hello(c.of.key).Append(nil), nil); err != nil {
		return err
	}
	frames, err := line.Receive(nil)
	if err != nil {
		return err
	}
	hello, err := heartbeat.ParseHello(frames[0])
	if err != nil {
		return err
	}
	l.noteHello(c.Conn, hello, time.Since(begun), true)
	return nil
}

// answerHello takes in a hello that a peer sent, and says ours.
func (l *Links) answerHello(in *Inbound, c network.Conn, frame []byte) error {
	hello, err := heartbeat.ParseHello(frame)
	if err != nil {
		return err
	}
	conn, twice := l.noteHello(c, hello, 0, false)
	switch {
	case twice:
		return errTwice
	case conn == nil:
		return nil
	}
	_ = in.Answer(l.cfg.Hello(in.peer).Append(nil)) // it fails only if the stream has ended
	// The peer measured the round trip; so do we.
	l.spawn(func(ctx context.Context) { l.probe(ctx, conn) })
	return nil
}

// noteHello keeps what a peer says of itself on a connection, which it returns,
// or nil if that is gone. twice: it had spoken first there before.
func (l *Links) noteHello(c network.Conn, h heartbeat.Hello, rtt time.Duration, local bool) (on *conn, twice bool) {
	theirs := time.UnixMilli(int64(min(h.Time, 1<<52))).Add(rtt / 2)
	offset := theirs.Sub(l.cfg.Now())

	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[c.RemotePeer()]
	if n == nil {
		return nil, false
	}
	have := n.find(c)
	if have == nil || have.heard && !local {
		return have, have != nil
	}
	have.greeted = true
	have.heard = have.heard || !local
	n.hello, n.offset, n.local = h, offset, local
	if local {
		n.rtt = rtt
		if have.pulse.rtt == 0 {
			have.pulse.rtt = rtt
		}
	}
	n.greeting = true
	have.life.note()
	l.noteSpeaks(n)
	l.mark(n)
	return have, false
}
