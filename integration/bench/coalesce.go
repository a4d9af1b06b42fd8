package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
)

const (
	numberSize = 8
	maxFrame   = numberSize + bodySize
	coalesced  = 64 << 10 // bytes that may be queued
)

// coalescer writes frames: who sends only queues, and one goroutine puts all
// that is queued into one write.
type coalescer struct {
	w    io.Writer
	done chan struct{}

	mu     sync.Mutex // guards what follows
	change sync.Cond
	queued []byte
	closed bool
	err    error // of the write that failed
}

func newCoalescer(w io.Writer) *coalescer {
	c := &coalescer{w: w, done: make(chan struct{})}
	c.change.L = &c.mu
	go c.write()
	return c
}

// send queues one frame. After an error of the stream, which its reader sees
// too, frames go nowhere.
func (c *coalescer) send(head, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queued) > coalesced && c.err == nil {
		c.change.Wait()
	}
	c.queued = binary.AppendUvarint(c.queued, uint64(len(head)+len(body)))
	c.queued = append(append(c.queued, head...), body...)
	c.change.Broadcast()
}

func (c *coalescer) write() {
	defer close(c.done)
	var out []byte
	for {
		var open bool
		if out, open = c.take(out); !open {
			return
		}
		if _, err := c.w.Write(out); err != nil {
			c.mu.Lock()
			c.err, c.closed = err, true
			c.change.Broadcast()
			c.mu.Unlock()
			return
		}
	}
}

// take waits for something to write and swaps it for the spare buffer.
func (c *coalescer) take(spare []byte) (out []byte, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queued) == 0 && !c.closed {
		c.change.Wait()
	}
	out, c.queued = c.queued, spare[:0]
	c.change.Broadcast()
	return out, len(out) > 0
}

// close writes what is queued and ends the goroutine.
func (c *coalescer) close() {
	c.mu.Lock()
	c.closed = true
	c.change.Broadcast()
	c.mu.Unlock()
	<-c.done
}

// readFrame reads one frame into buf or a larger buffer, which it returns.
func readFrame(r *bufio.Reader, buf []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if n < numberSize || n > maxFrame {
		return nil, errors.New("not a frame of ours")
	}
	buf = slices.Grow(buf[:0], int(n))[:n]
	_, err = io.ReadFull(r, buf)
	return buf, err
}
