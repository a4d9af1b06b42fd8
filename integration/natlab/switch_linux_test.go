package natlab

import (
	"os"
	"sync"
	"time"
)

// hub is the internet: an Ethernet switch that holds every frame back for the
// access link it comes from and the one it goes to.
type hub struct {
	delay time.Duration // of one access link, one way

	mu    sync.Mutex
	ports []*port
	where map[mac]*port // where a source address was last seen

	readers sync.WaitGroup
}

type mac [6]byte

// port is an access link. Its frames leave in the order they came: all have the
// same delay.
type port struct {
	tap *os.File
	out chan frame
}

type frame struct {
	due   time.Time
	bytes []byte
}

// backlog is how many frames an access link holds; more are lost, as anywhere.
const backlog = 4096

const maxFrame = 2048 // an MTU of 1500, and headers

func newHub(delay time.Duration) *hub {
	return &hub{delay: delay, where: make(map[mac]*port)}
}

// plug connects a TAP device, which the hub closes at its end.
func (h *hub) plug(tap *os.File) {
	p := &port{tap: tap, out: make(chan frame, backlog)}
	h.mu.Lock()
	h.ports = append(h.ports, p)
	h.mu.Unlock()
	go p.write()
	h.readers.Go(func() { h.read(p) })
}

func (h *hub) read(p *port) {
	buf := make([]byte, maxFrame)
	for {
		n, err := p.tap.Read(buf)
		if err != nil {
			return // closed
		}
		if n < 14 {
			continue
		}
		f := frame{time.Now().Add(2 * h.delay), append([]byte(nil), buf[:n]...)}
		for _, to := range h.route(p, f.bytes) {
			select {
			case to.out <- f:
			default:
			}
		}
	}
}

// route says where a frame goes: to everybody if it is for many, or for one who
// has not been heard of.
func (h *hub) route(from *port, frame []byte) []*port {
	dst, src := mac(frame[:6]), mac(frame[6:12])
	h.mu.Lock()
	defer h.mu.Unlock()
	h.where[src] = from
	if to := h.where[dst]; to != nil {
		return []*port{to}
	}
	var all []*port
	for _, to := range h.ports {
		if to != from {
			all = append(all, to)
		}
	}
	return all
}

func (p *port) write() {
	due := time.NewTimer(0)
	<-due.C
	for f := range p.out {
		due.Reset(time.Until(f.due))
		<-due.C
		_, _ = p.tap.Write(f.bytes) // lost if it cannot be
	}
}

func (h *hub) close() {
	h.mu.Lock()
	ports := h.ports
	h.mu.Unlock()
	for _, p := range ports {
		_ = p.tap.Close()
	}
	h.readers.Wait()
	for _, p := range ports {
		close(p.out)
	}
}
