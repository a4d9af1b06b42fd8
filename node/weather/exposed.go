package weather

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols/stream"
)

// errKilled is how a stream ends that the weather takes.
var errKilled = errors.New("killed by the weather")

// exposed is a stream in the weather. As with a Line, Read and SetReadDeadline
// are for one goroutine, and so are Write, SetWriteDeadline and Close.
type exposed struct {
	raw stream.Raw
	w   *Weather

	out, in  *lane
	outgoing sieve
	rest     []byte    // of what came in, not yet read
	restErr  error     // after it
	readBy   time.Time // the read deadline
	sent     chan struct{}
	end      chan struct{} // closed when it is over
	endOnce  sync.Once
	err      error // why, if not by Reset or Close; set before end is closed
	rank     int   // its place in Weather.open, which guards it
}

func (w *Weather) newExposed(raw stream.Raw) *exposed {
	e := &exposed{raw: raw, w: w, sent: make(chan struct{}), end: make(chan struct{}), err: net.ErrClosed}
	e.out, e.in = newLane(w.forecast.Delay, e.end), newLane(w.forecast.Delay, e.end)
	e.outgoing.drop = func() bool { return w.drops("out") }
	return e
}

// send writes what is due to the stream, and closes it after the last piece.
func (e *exposed) send() {
	defer close(e.sent)
	for {
		p, ok := e.out.take(nil)
		if !ok {
			return
		}
		if len(p.bytes) > 0 {
			if _, err := e.raw.Write(p.bytes); err != nil {
				e.over(err)
				return
			}
		}
		if p.err != nil {
			_ = e.raw.Close()
			return
		}
	}
}

// hear reads from the stream until it ends.
func (e *exposed) hear() {
	incoming := sieve{drop: func() bool { return e.w.drops("in") }}
	buf := make([]byte, pieceSize)
	for {
		n, err := e.raw.Read(buf)
		passed := incoming.sift(nil, buf[:n])
		if len(passed) == 0 && err == nil {
			continue
		}
		if !e.in.put(passed, err) || err != nil {
			return
		}
	}
}

// Read returns what has come, its time later.
func (e *exposed) Read(p []byte) (int, error) {
	for len(e.rest) == 0 && e.restErr == nil {
		if err := e.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	if n == 0 {
		return 0, e.restErr
	}
	return n, nil
}

func (e *exposed) next() error {
	var late <-chan time.Time
	if !e.readBy.IsZero() {
		timer := time.NewTimer(time.Until(e.readBy))
		defer timer.Stop()
		late = timer.C
	}
	p, ok := e.in.take(late)
	if ok {
		e.rest, e.restErr = p.bytes, p.err
		return nil
	}
	select {
	case <-e.end:
		return e.err
	default:
		return os.ErrDeadlineExceeded
	}
}

// Write takes all of p, and waits only while very much is under way.
func (e *exposed) Write(p []byte) (int, error) {
	passed := e.outgoing.sift(make([]byte, 0, len(p)), p)
	select {
	case <-e.end:
		return 0, e.err
	default:
	}
	if len(passed) > 0 && !e.out.put(passed, nil) {
		return 0, e.err
	}
	return len(p), nil
}

// Close ends the stream once all that was written has left.
func (e *exposed) Close() error {
	if e.out.put(nil, io.EOF) {
		<-e.sent
	}
	e.over(net.ErrClosed)
	return nil
}

// Reset ends the stream at once.
func (e *exposed) Reset() error {
	e.over(net.ErrClosed)
	return e.raw.Reset()
}

// over lets go of everybody who waits, and of the stream below.
func (e *exposed) over(err error) {
	e.endOnce.Do(func() {
		e.err = err
		close(e.end)
		e.w.forget(e)
	})
}

// kill resets the stream under its user's feet.
func (e *exposed) kill() {
	e.over(errKilled)
	_ = e.raw.Reset()
}

// SetReadDeadline bounds the reads that follow.
func (e *exposed) SetReadDeadline(t time.Time) error {
	e.readBy = t
	return nil
}

// SetWriteDeadline bounds what is written, from when it leaves.
func (e *exposed) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		t = t.Add(e.out.delay)
	}
	return e.raw.SetWriteDeadline(t)
}
