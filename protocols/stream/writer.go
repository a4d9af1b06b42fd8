package stream

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// writeSize is the most that is handed to the stream below at once, in bytes.
const writeSize = 64 << 10

// outBuffers holds writeSize buffers: a line has one only while it writes.
var outBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, writeSize)
	return &b
}}

// write is the line's goroutine: it owns the outgoing direction.
func (l *Line) write() {
	defer close(l.done)
	idle := l.idleTimer()
	defer idle.Stop()
	var batch []item
	for {
		var s state
		batch, s = l.take(batch[:0])
		switch {
		case s == dead:
			l.drop(batch, net.ErrClosed)
			return
		case len(batch) > 0:
			if !l.writeBatch(batch) {
				return
			}
		case s == closing:
			_ = l.raw.Close()
			l.advance(dead)
			return
		default:
			l.await(idle)
		}
	}
}

// take swaps the queue for the spare slice and says how the line stands.
func (l *Line) take(spare []item) ([]item, state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.queue
	if cap(spare) > 1024 { // do not keep a burst's memory for ever
		spare = nil
	}
	l.queue = spare
	return batch, l.state
}

// await blocks until there may be something to do.
func (l *Line) await(idle *time.Timer) {
	select {
	case <-l.wake:
	case <-idle.C:
		quiet := time.Since(l.start) - time.Duration(l.used.Load())
		if quiet >= l.lim.Idle {
			l.closeUnused()
		}
		idle.Reset(max(l.lim.Idle-quiet, time.Second))
	}
}

func (l *Line) idleTimer() *time.Timer {
	if l.lim.Idle > 0 {
		return time.NewTimer(l.lim.Idle)
	}
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// writeBatch writes all of batch, in writes of at most writeSize, and reports
// each frame as soon as its last byte was taken. False: the line has ended.
// Long frames are copied too: a length that is written by itself leaves in a packet
// of its own.
func (l *Line) writeBatch(batch []item) bool {
	pooled := outBuffers.Get().(*[]byte)
	defer outBuffers.Put(pooled)
	buf := (*pooled)[:0]
	first := 0 // batch[first:i] is in buf, whole or in part
	for i, it := range batch {
		if len(buf)+binary.MaxVarintLen32+len(it.frame) > writeSize && len(buf) > 0 {
			if err := l.put(buf); err != nil {
				return l.lost(batch[first:], err)
			}
			l.release(batch[first:i])
			buf, first = buf[:0], i
		}
		buf = binary.AppendUvarint(buf, uint64(len(it.frame)))
		rest := it.frame
		for len(buf)+len(rest) > writeSize {
			n := writeSize - len(buf)
			if err := l.put(append(buf, rest[:n]...)); err != nil {
				return l.lost(batch[first:], err)
			}
			buf, rest = buf[:0], rest[n:]
		}
		buf = append(buf, rest...)
	}
	if err := l.put(buf); err != nil {
		return l.lost(batch[first:], err)
	}
	l.release(batch[first:])
	clear(batch)
	return true
}

// put hands p to the stream below, which has Limits.Write to take it.
func (l *Line) put(p []byte) error {
	if err := l.raw.SetWriteDeadline(time.Now().Add(l.lim.Write)); err != nil {
		return err
	}
	_, err := l.raw.Write(p)
	l.touch()
	return err
}

// release reports items as written and frees their room.
func (l *Line) release(items []item) {
	l.free(items)
	for _, it := range items {
		if it.written != nil {
			it.written(nil)
		}
	}
}

func (l *Line) free(items []item) {
	bytes := 0
	for _, it := range items {
		bytes += len(it.frame)
	}
	l.mu.Lock()
	l.count -= len(items)
	l.bytes -= bytes
	l.mu.Unlock()
}

// lost ends the line after a failed write. It returns false, for the writer.
func (l *Line) lost(batch []item, err error) bool {
	l.Reset()
	l.mu.Lock()
	queued := l.queue
	l.queue = nil
	l.mu.Unlock()
	l.drop(batch, err)
	l.drop(queued, err)
	return false
}

// drop reports items as never written.
func (l *Line) drop(items []item, err error) {
	l.free(items)
	for _, it := range items {
		if it.written != nil {
			it.written(err)
		}
	}
}
