// Package streamtest has a stream in memory, for tests of protocols without a
// network, and the suite that holds it to what a real stream does.
package streamtest

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// ErrReset is what the other end of a reset pipe reads.
var ErrReset = errors.New("pipe reset")

// Pipe returns the two ends of a stream that holds nothing: a write returns
// when the other end has read it. It lives in a synctest bubble as well.
func Pipe() (a, b *End) {
	toB, fromA := net.Pipe()
	toA, fromB := net.Pipe()
	reset := new(atomic.Bool)
	return &End{in: fromB, out: toB, reset: reset}, &End{in: fromA, out: toA, reset: reset}
}

// End is one end of a Pipe.
type End struct {
	in, out net.Conn
	reset   *atomic.Bool
	writes  atomic.Int64
}

// Writes counts the writes this end was asked for.
func (e *End) Writes() int { return int(e.writes.Load()) }

// Read reads what the other end writes.
func (e *End) Read(p []byte) (int, error) {
	n, err := e.in.Read(p)
	if err != nil && e.reset.Load() && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)) {
		err = ErrReset
	}
	return n, err
}

// Write blocks until the other end has read all of p.
func (e *End) Write(p []byte) (int, error) {
	e.writes.Add(1)
	n, err := e.out.Write(p)
	if err != nil && e.reset.Load() {
		err = ErrReset
	}
	return n, err
}

// CloseWrite makes the other end read io.EOF.
func (e *End) CloseWrite() error { return e.out.Close() }

// Close ends both directions.
func (e *End) Close() error { return errors.Join(e.out.Close(), e.in.Close()) }

// Reset ends both directions with ErrReset.
func (e *End) Reset() error {
	e.reset.Store(true)
	return e.Close()
}

// SetReadDeadline bounds reads, also those that are under way.
func (e *End) SetReadDeadline(t time.Time) error { return ended(e.in.SetReadDeadline(t)) }

// SetWriteDeadline bounds writes, also those that are under way.
func (e *End) SetWriteDeadline(t time.Time) error { return ended(e.out.SetWriteDeadline(t)) }

// ended lets a deadline be set on what the other end has closed, as real streams
// do: the next read or write tells.
func ended(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}
