package stream

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

const (
	firstRead = 4 << 10  // what an unused line holds, in bytes
	bigRead   = 64 << 10 // what a busy line reads at once

	maxBatchFrames = 256     // frames that one Receive returns
	maxBatchBytes  = 1 << 20 // and their payload

	slabSize = 8 << 10 // small frames share memory, in slabs of this size
)

// memoryPriority is what the buffer of a stream is worth under memory
// pressure, on the resource manager's scale of 0 to 255.
const memoryPriority = 152

// reader is the incoming direction of a line.
type reader struct {
	buf      []byte // buf[next:] has arrived and was not returned yet
	next     int
	reserved int    // what Limits.Memory was asked for
	deadline bool   // the stream below has a read deadline, for the frame at next
	slab     []byte // free part of the slab that small frames come from
	err      error  // what ended the direction; sticky
}

// Receive appends to dst every complete frame that is here, at least one and at
// most 256 or about 1 MiB, blocking until there is one. Each frame is memory of
// its own, for the caller to keep. io.EOF means that the other side has
// finished between two frames, io.ErrUnexpectedEOF that it has within one;
// after any other error the line has ended. Frames that arrived before an error
// are returned first.
func (l *Line) Receive(dst [][]byte) ([][]byte, error) {
	r := &l.in
	for {
		got := len(dst)
		dst = l.frames(dst)
		if len(dst) > got {
			l.touch()
			return dst, nil
		}
		if r.err != nil {
			return dst, r.err
		}
		if err := l.fill(); err != nil {
			r.err = l.readFailed(err)
		}
	}
}

// frames takes complete frames off the buffer; a malformed length ends the line.
func (l *Line) frames(dst [][]byte) [][]byte {
	r := &l.in
	for n, bytes := 0, 0; n < maxBatchFrames && bytes < maxBatchBytes; n++ {
		head, size, err := length(r.buf[r.next:], l.lim.Frame)
		if err != nil && r.err == nil {
			l.Reset()
			r.err = err
		}
		if err != nil || head == 0 || len(r.buf)-r.next-head < size {
			break
		}
		r.next += head
		dst = append(dst, r.own(r.buf[r.next:r.next+size]))
		r.next += size
		bytes += size
	}
	return dst
}

// length reads the length in front of a frame. head is its own length in
// bytes, 0 if it has not arrived as a whole.
func length(b []byte, limit int) (head, size int, err error) {
	v, n := binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, 0, nil
	case n < 0 || v > uint64(limit):
		return 0, 0, ErrTooLong
	case n > 1 && b[n-1] == 0:
		return 0, 0, ErrBadLength
	}
	return n, int(v), nil
}

// own copies b. Small frames share slabs, so that a burst of them is not a
// burst of allocations, and so small that one kept frame pins little.
func (r *reader) own(b []byte) []byte {
	if len(b) > slabSize/8 {
		return append(make([]byte, 0, len(b)), b...)
	}
	if len(r.slab) < len(b) {
		// No larger than what is here can fill: a quiet line pins nothing.
		r.slab = make([]byte, min(slabSize, len(r.buf)-r.next+len(b)))
	}
	out := r.slab[:len(b):len(b)]
	r.slab = r.slab[len(b):]
	copy(out, b)
	return out
}

// fill reads once, after making room.
func (l *Line) fill() error {
	r := &l.in
	if err := l.makeRoom(); err != nil {
		return err
	}
	if err := l.setPartial(); err != nil {
		return err
	}
	n, err := l.raw.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil // an error that came along comes again
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// setPartial gives a begun frame its time: the clock starts with its first
// byte and stops with its last.
func (l *Line) setPartial() error {
	r := &l.in
	partial := len(r.buf) > 0
	switch {
	case partial && !r.deadline:
		r.deadline = true
		return l.raw.SetReadDeadline(time.Now().Add(l.lim.Partial))
	case !partial && r.deadline:
		r.deadline = false
		return l.raw.SetReadDeadline(time.Time{})
	}
	return nil
}

// makeRoom moves what is left to the front, and grows the buffer only when the
// other side has filled it: twice as large each time, up to bigRead for many
// small frames, and up to one whole frame for a large one.
func (l *Line) makeRoom() error {
	r := &l.in
	filled := len(r.buf) == cap(r.buf)
	if r.next > 0 {
		r.deadline = r.deadline && len(r.buf) == r.next // a new frame, a new deadline
		r.buf = r.buf[:copy(r.buf, r.buf[r.next:])]
		r.next = 0
	}
	switch {
	case len(r.buf) == 0 && cap(r.buf) > bigRead:
		return l.resize(bigRead)
	case cap(r.buf) == 0:
		return l.resize(firstRead)
	case len(r.buf) == cap(r.buf):
		return l.resize(min(2*cap(r.buf), max(bigRead, l.lim.Frame+binary.MaxVarintLen32)))
	case filled && cap(r.buf) < bigRead:
		return l.resize(2 * cap(r.buf))
	}
	return nil
}

// resize moves the buffer into one of size bytes.
func (l *Line) resize(size int) error {
	r := &l.in
	if err := l.reserve(size - r.reserved); err != nil {
		return err
	}
	r.buf = append(make([]byte, 0, size), r.buf...)
	return nil
}

func (l *Line) reserve(more int) error {
	r := &l.in
	if m := l.lim.Memory; m != nil {
		if more < 0 {
			m.ReleaseMemory(-more)
		} else if err := m.ReserveMemory(more, memoryPriority); err != nil {
			return err
		}
	}
	r.reserved += more
	return nil
}

// readFailed names what ended the direction, and ends the line with it unless
// the other side has merely finished.
func (l *Line) readFailed(err error) error {
	switch {
	case l.ended():
		return net.ErrClosed
	case errors.Is(err, io.EOF) && len(l.in.buf) > 0:
		err = io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	l.Reset()
	return err
}
