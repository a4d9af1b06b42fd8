package stream

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Raw is the byte stream below a Line; a libp2p stream fits. Close ends both
// directions, after what was written; Reset ends both at once. Either makes
// blocked reads and writes return.
type Raw interface {
	io.Reader
	io.Writer
	Close() error
	Reset() error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Line sends and receives frames over one Raw. Send, Close, Reset and Done are
// for any goroutine, Receive is for one at a time.
type Line struct {
	raw   Raw
	lim   Limits
	start time.Time
	used  atomic.Int64 // time of the last frame either way, after start

	wake chan struct{} // holds at most one token: the writer has something to look at
	done chan struct{} // closed when the writer has returned

	mu    sync.Mutex // guards what follows; no call is made with it held
	queue []item
	count int // frames queued or being written
	bytes int // their payload
	state state
	idled bool

	in reader // owned by the one who calls Receive
}

type state uint8

const (
	open    state = iota
	closing       // Close was called: write what is queued, then end
	dead          // nothing is written any more
)

// item is a frame on its way out.
type item struct {
	frame   []byte
	written func(error)
}

// NewLine takes raw over and starts the line's writer.
func NewLine(raw Raw, lim Limits) *Line {
	l := &Line{
		raw:   raw,
		lim:   lim.withDefaults(),
		start: time.Now(),
		wake:  make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
	go l.write()
	return l
}

// Send queues frame, which the line owns from then on, and returns at once:
// nil, ErrFull, ErrTooLong, or net.ErrClosed. Only after nil, written (which
// may be nil) is called exactly once, from the line's own goroutine: with nil
// when the write that carried the frame has returned, or with the error that
// ended the line. It must not block.
func (l *Line) Send(frame []byte, written func(error)) error {
	if len(frame) > l.lim.Frame {
		return ErrTooLong
	}
	l.mu.Lock()
	err := l.roomFor(len(frame))
	if err == nil {
		l.queue = append(l.queue, item{frame, written})
		l.count++
		l.bytes += len(frame)
	}
	l.mu.Unlock()
	if err == nil {
		l.poke()
	}
	return err
}

// roomFor says why a frame of n bytes cannot be queued. l.mu is held.
func (l *Line) roomFor(n int) error {
	switch {
	case l.state != open:
		return net.ErrClosed
	case l.count == 0:
		return nil
	case l.count >= l.lim.QueueFrames, l.bytes+n > l.lim.QueueBytes:
		return ErrFull
	}
	return nil
}

// Close lets what is queued be written and then ends the line. It does not
// wait: Done tells.
func (l *Line) Close() { l.advance(closing) }

// Reset ends the line at once; what is queued fails with net.ErrClosed.
func (l *Line) Reset() {
	if l.advance(dead) {
		_ = l.raw.Reset() // frees a writer and a reader that are stuck
	}
}

// Done is closed when the line has ended and every written callback has
// returned.
func (l *Line) Done() <-chan struct{} { return l.done }

// Idled says, once the line has ended, that it ended by itself because nobody
// had used it for Limits.Idle.
func (l *Line) Idled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.idled
}

// advance moves the line forward to s, if it is not there yet.
func (l *Line) advance(s state) bool {
	l.mu.Lock()
	moved := s > l.state
	if moved {
		l.state = s
	}
	l.mu.Unlock()
	if moved {
		l.poke()
	}
	return moved
}

// closeUnused starts closing the line if nothing is on its way out.
func (l *Line) closeUnused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == open && l.count == 0 {
		l.state, l.idled = closing, true
	}
}

// ended says that this side has closed or reset the line.
func (l *Line) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state != open
}

// poke makes the writer look at the queue and the state.
func (l *Line) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// touch notes that the line is in use.
func (l *Line) touch() { l.used.Store(int64(time.Since(l.start))) }
