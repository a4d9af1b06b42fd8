package courier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

const (
	dialTimeout  = 20 * time.Second
	probeTimeout = 10 * time.Second
)

// machineLoop owns the delivery machine: it gives it input and time, and does
// what it wants done.
func (c *Courier) machineLoop(ctx context.Context) {
	m := delivery.NewMachine(rand.Uint64())
	if c.Backup != nil {
		m.UseHolders()
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.mail.wake:
		case <-timer.C:
		}
		now := c.Now()
		m.Doubt(c.InDoubt())
		inputs := c.mail.take()
		for _, in := range inputs {
			in(m, now)
		}
		clear(inputs)
		m.Tick(now)
		c.act(m, now)
		timer.Reset(untilDeadline(m, now))
	}
}

// untilDeadline is the wait for the machine's next deadline, an hour if it has
// none: the wall clock may jump meanwhile.
func untilDeadline(m *delivery.Machine, now time.Time) time.Duration {
	at := m.Deadline()
	if at.IsZero() {
		return time.Hour
	}
	return min(max(at.Sub(now), 0), time.Minute)
}

// act does what the machine wants done, and what that leads to at once.
func (c *Courier) act(m *delivery.Machine, now time.Time) {
	for {
		r := m.Ready()
		c.save(r.Save)
		for _, req := range r.Seal {
			c.workers.Go(func() { offer(c.ctx, c.seals, req) })
		}
		for _, id := range r.Reseal {
			c.workers.Go(func() { offer(c.ctx, c.reseals, id) })
		}
		c.place(r.Place)
		for _, p := range r.Promised {
			c.Backup.Promised(p.Digest, p.Holder, p.End)
		}
		for _, d := range r.Release {
			c.Backup.Release(d)
		}
		for _, k := range r.Dial {
			c.workers.Go(func() { c.dial(k) })
		}
		for _, k := range r.Probe {
			c.workers.Go(func() { c.probe(k) })
		}
		for _, k := range r.LookUp {
			c.workers.Go(func() { c.lookUp(k) })
		}
		for _, w := range r.Watch {
			c.Lines.Watch(w.Peer, w.Waiting)
		}
		c.judge(r.Judged)
		more := len(r.Routes)
		for _, t := range r.Transmit {
			if t.Via != nil {
				c.passOn(m, now, t)
				more++
				continue
			}
			more += c.transmit(m, now, t)
		}
		for _, q := range r.Routes {
			m.Routes(now, q.To, c.routes(q))
		}
		if more == 0 {
			c.told = c.Count.tally(c.told, m.Tally())
			return
		}
	}
}

// save hands states to the store, and lets go of what became final.
func (c *Courier) save(reports []delivery.Report) {
	if len(reports) == 0 {
		return
	}
	rows := make([]store.Status, len(reports))
	for i := range reports {
		r := &reports[i]
		rows[i] = statusOf(r)
		if r.State.Final() {
			c.letGo(r.ID)
			c.Count.ended(r)
		}
	}
	c.Store.SaveStatus(rows)
}

func (c *Courier) letGo(id envelope.ID) {
	if frame, ok := c.frames[id]; ok {
		delete(c.frames, id)
		c.frameBytes -= len(frame)
	}
	c.held[id].release()
	delete(c.held, id)
}

// keepFrame keeps an encoded envelope at hand for its first transmission;
// without room for it the store is asked again.
func (c *Courier) keepFrame(id envelope.ID, frame []byte) {
	if c.frameBytes+len(frame) <= maxFrameBytes {
		c.frames[id] = frame
		c.frameBytes += len(frame)
	}
}

// transmit puts envelopes on a connection and returns how many it would not
// take.
func (c *Courier) transmit(m *delivery.Machine, now time.Time, t delivery.Transmit) (unsent int) {
	for _, id := range t.IDs {
		frame, err := c.frame(id)
		if err != nil {
			m.Unreadable(now, id, err.Error())
			continue
		}
		err = c.Lines.SendEnvelope(t.Peer, frame, func(err error) {
			switch {
			case err == nil:
				c.mail.put(func(m *delivery.Machine, now time.Time) { m.Written(now, id) })
			case errors.Is(err, delivery.ErrLimit):
				c.mail.put(func(m *delivery.Machine, now time.Time) { m.Unfit(now, t.Peer, id) })
			}
		})
		switch {
		case errors.Is(err, delivery.ErrLimit):
			unsent++
			m.Unfit(now, t.Peer, id)
		case err != nil:
			unsent++
			m.Unsent(now, t.Peer, id)
		}
	}
	return unsent
}

func (c *Courier) frame(id envelope.ID) ([]byte, error) {
	if frame, ok := c.frames[id]; ok {
		return frame, nil
	}
	out, err := c.Store.Load(id)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return out.Envelope, nil
}

func (c *Courier) dial(k protocols.Key) {
	slots := c.dialing
	if c.Store.Stranger(k) {
		slots = c.knocking
	}
	if slots.Acquire(c.ctx, 1) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, dialTimeout)
	err := c.Lines.Connect(ctx, k)
	cancel()
	if err != nil {
		err = brief(err)
	}
	slots.Release(1)
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.Dialed(now, k, err) })
}

func (c *Courier) probe(k protocols.Key) {
	ctx, cancel := context.WithTimeout(c.ctx, probeTimeout)
	defer cancel()
	alive := c.Lines.Probe(ctx, k)
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.Probed(now, k, alive) })
}

// PeerUp is told when the first connection to a peer opens, and again when a
// better one does or the best is lost: path is how the best one goes.
func (c *Courier) PeerUp(k protocols.Key, path delivery.Path) {
	c.mail.put(func(m *delivery.Machine, now time.Time) {
		m.PeerUp(now, k, path)
		if c.Router != nil {
			m.RoutesChanged(now) // it may be a relay
		}
	})
	c.receipts.kick()
}

// PeerDown is told when the last connection to a peer is gone.
func (c *Courier) PeerDown(k protocols.Key) {
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.PeerDown(now, k) })
	c.receipts.lost(k)
}

// LineLost is told when the stream that envelopes go to a peer on has ended.
func (c *Courier) LineLost(k protocols.Key) {
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.LineLost(now, k) })
}

// ask runs a question on the machine's goroutine and waits for it, at most until
// the node stops.
func (c *Courier) ask(ctx context.Context, question func(m *delivery.Machine)) error {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan struct{})
	c.mail.put(func(m *delivery.Machine, _ time.Time) { question(m); close(done) })
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrStopped
	}
}

func offer[T any](ctx context.Context, ch chan<- T, v T) {
	select {
	case ch <- v:
	case <-ctx.Done():
	}
}
