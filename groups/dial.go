package groups

import (
	"context"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Waits and bounds of a dialer.
const (
	dialTime    = 10 * time.Second
	dialAgain   = time.Second // after the first failure; doubles
	dialSeldom  = time.Minute
	maxDials    = 16
	maxHeld     = 64   // frames to one peer that wait for a connection
	maxDialPeer = 4096 // whose failures are remembered
)

// outbound is a frame on its way out.
type outbound struct {
	hub   bool
	frame []byte
}

// dialer sends frames, and connects to whom there is something to say.
type dialer struct {
	lines Lines
	count *counters

	mu    sync.Mutex
	ctx   context.Context
	peers map[protocols.Key]*dialed
	busy  int
	work  sync.WaitGroup
}

type dialed struct {
	dialing bool
	held    []outbound
	next    time.Time
	wait    time.Duration
}

func newDialer(l Lines, c *counters) *dialer {
	return &dialer{lines: l, count: c, peers: make(map[protocols.Key]*dialed)}
}

// run lets dials begin, and waits for those under way when ctx has ended.
func (d *dialer) run(ctx context.Context) {
	d.mu.Lock()
	d.ctx = ctx
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock() // from here on no dial begins
	d.ctx = nil
	d.mu.Unlock()
	d.work.Wait()
}

// send sends a frame, or keeps it while the peer is dialled. What cannot be sent
// is dropped: all that groups say is said again.
func (d *dialer) send(to protocols.Key, o outbound) {
	if d.lines.Connected(to) {
		d.write(to, o)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil || d.ctx.Err() != nil {
		return
	}
	p := d.peers[to]
	if p == nil {
		if len(d.peers) >= maxDialPeer {
			d.count.unsent("bound")
			return
		}
		p = new(dialed)
		d.peers[to] = p
	}
	if !p.dialing && (time.Now().Before(p.next) || d.busy >= maxDials) {
		d.count.unsent("away")
		return
	}
	if len(p.held) < maxHeld {
		p.held = append(p.held, o)
	} else {
		d.count.unsent("bound")
	}
	if !p.dialing {
		p.dialing = true
		d.busy++
		ctx := d.ctx
		d.work.Go(func() { d.dial(ctx, to, p) })
	}
}

func (d *dialer) write(to protocols.Key, o outbound) {
	send, protocol := d.lines.SendGroup, "group"
	if o.hub {
		send, protocol = d.lines.SendHub, "hub"
	}
	if err := send(to, o.frame); err != nil {
		d.count.unsent("line")
		logger.Debugw("frame not sent", "peer", to, "err", err)
		return
	}
	d.count.sent(protocol, len(o.frame))
}

func (d *dialer) dial(ctx context.Context, to protocols.Key, p *dialed) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	err := d.lines.Connect(ctx, to)
	cancel()
	d.mu.Lock()
	held := p.held
	p.held, p.dialing = nil, false
	d.busy--
	if err != nil {
		p.wait = min(max(2*p.wait, dialAgain), dialSeldom)
		p.next = time.Now().Add(p.wait)
	} else {
		delete(d.peers, to)
	}
	d.mu.Unlock()
	if err != nil {
		logger.Debugw("not connected", "peer", to, "err", err)
		return
	}
	for _, o := range held {
		d.write(to, o)
	}
}

// heard notes that the peer is there.
func (d *dialer) heard(from protocols.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.peers[from]; p != nil && !p.dialing {
		delete(d.peers, from)
	}
}
