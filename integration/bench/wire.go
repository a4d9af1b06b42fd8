package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The lossy path: every datagram takes pathDelay, each way, and one in a
// hundred is lost.
const (
	pathDelay = 20 * time.Millisecond
	pathLoss  = 0.01
)

// maxInFlight bounds the datagrams on their way in one direction; what is over
// it is lost, as in a router.
const maxInFlight = 8192

// wire carries the datagrams of one UDP flow between two processes on this
// machine. It stands in for a path between two machines.
type wire struct {
	near, far *net.UDPConn // towards who dials, towards who is dialled
	dialler   atomic.Pointer[netip.AddrPort]
	carried   atomic.Int64 // bytes, both ways
	work      sync.WaitGroup
}

var udpPort = regexp.MustCompile(`/udp/(\d+)/`)

// openWire puts a wire in front of a multiaddr on 127.0.0.1 and returns the
// multiaddr to dial instead.
func openWire(address string, delay time.Duration, loss float64) (*wire, string, error) {
	m := udpPort.FindStringSubmatch(address)
	if m == nil {
		return nil, "", errors.New("no UDP address: " + address)
	}
	port, err := strconv.Atoi(m[1])
	if err != nil {
		return nil, "", err
	}
	w := new(wire)
	loopback := net.IPv4(127, 0, 0, 1)
	if w.near, err = net.ListenUDP("udp4", &net.UDPAddr{IP: loopback}); err != nil {
		return nil, "", err
	}
	if w.far, err = net.DialUDP("udp4", nil, &net.UDPAddr{IP: loopback, Port: port}); err != nil {
		w.near.Close()
		return nil, "", err
	}
	for _, c := range []*net.UDPConn{w.near, w.far} {
		c.SetReadBuffer(4 << 20) // as much of it as the system allows
	}
	w.carry(w.readNear, func(b []byte) { w.far.Write(b) }, delay, loss)
	w.carry(w.readFar, w.writeNear, delay, loss)
	here := w.near.LocalAddr().(*net.UDPAddr).Port
	return w, udpPort.ReplaceAllString(address, fmt.Sprintf("/udp/%d/", here)), nil
}

func (w *wire) close() {
	w.near.Close()
	w.far.Close()
	w.work.Wait()
}

func (w *wire) readNear(b []byte) (int, error) {
	n, from, err := w.near.ReadFromUDPAddrPort(b)
	if err == nil {
		w.dialler.Store(&from)
	}
	return n, err
}

func (w *wire) readFar(b []byte) (int, error) {
	for {
		n, err := w.far.Read(b)
		if err == nil || errors.Is(err, net.ErrClosed) {
			return n, err
		} // nobody listens there for the moment
	}
}

func (w *wire) writeNear(b []byte) {
	if to := w.dialler.Load(); to != nil {
		w.near.WriteToUDPAddrPort(b, *to)
	}
}

// datagram is on its way until due.
type datagram struct {
	bytes []byte
	due   time.Time
}

// carry moves datagrams one way until the sockets are closed.
func (w *wire) carry(read func([]byte) (int, error), write func([]byte), delay time.Duration, loss float64) {
	flying := make(chan datagram, maxInFlight)
	w.work.Go(func() {
		defer close(flying)
		buf := make([]byte, 64<<10)
		for {
			n, err := read(buf)
			if err != nil {
				return
			}
			if rand.Float64() < loss {
				continue
			}
			select {
			case flying <- datagram{append([]byte(nil), buf[:n]...), time.Now().Add(delay)}:
			default:
			}
		}
	})
	w.work.Go(func() {
		for d := range flying {
			time.Sleep(time.Until(d.due))
			w.carried.Add(int64(len(d.bytes)))
			write(d.bytes)
		}
	})
}
