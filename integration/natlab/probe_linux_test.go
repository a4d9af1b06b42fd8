package natlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// behaviour is what a router does, in the words of RFC 4787.
type behaviour struct {
	udp       bool // lets UDP out at all
	mapping   string
	filtering string
	answers   bool // to those nobody asked for
	hairpin   bool // from inside to a neighbour's address outside
}

const (
	independent = "endpoint-independent"
	byAddress   = "address-dependent"
	byPort      = "address and port-dependent"
)

func TestRoutersBehaveAsTheirNamesSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nat  nat
		want behaviour
	}{
		{cone, behaviour{udp: true, mapping: independent, filtering: byPort}},
		{carrier, behaviour{udp: true, mapping: independent, filtering: byPort}},
		{addressRestricted, behaviour{udp: true, mapping: independent, filtering: byAddress}},
		{fullCone, behaviour{udp: true, mapping: independent, filtering: independent, hairpin: true}},
		{symmetric, behaviour{udp: true, mapping: byPort, filtering: byPort}},
		{answering, behaviour{udp: true, mapping: independent, filtering: byPort, answers: true}},
		{udpBlocked, behaviour{}},
		{firewall6, behaviour{udp: true, mapping: independent, filtering: byPort, hairpin: true}},
	} {
		t.Run(c.nat.name, func(t *testing.T) {
			t.Parallel()
			p := prober{t: t, v6: c.nat.v6}
			p.town = newLab(t).add(t, host("one"), host("two"), behind(c.nat, host("inside"), host("neighbour")).called("router"))
			if got := p.probe(); got != c.want {
				t.Errorf("is %+v, want %+v", got, c.want)
			}
		})
	}
}

// prober finds out what a router does, from a host behind it and two outside.
type prober struct {
	t    *testing.T
	town town
	v6   bool
}

func (p prober) probe() (b behaviour) {
	if b.udp = p.passes(); !b.udp {
		return b
	}
	b.mapping, b.filtering, b.answers, b.hairpin = p.mapping(), p.filtering(), p.answers(), p.hairpin()
	return b
}

// passes says whether UDP comes through. TCP always does, and whatever stays
// inside.
func (p prober) passes() bool {
	inside, outside := p.socket("inside"), p.socket("one")
	p.connect("inside", "one")
	p.send(p.socket("neighbour"), addrOf(inside))
	if _, ok := p.receiveIn(inside, expected); !ok {
		p.t.Error("neighbours do not reach each other")
	}
	p.send(inside, addrOf(outside))
	_, ok := p.receive(outside)
	return ok
}

func (p prober) mapping() string {
	inside, one, port, two := p.socket("inside"), p.socket("one"), p.socket("one"), p.socket("two")
	a, b, c := p.seen(inside, one), p.seen(inside, port), p.seen(inside, two)
	switch {
	case a == b && b == c:
		return independent
	case a == b:
		return byAddress
	default:
		return byPort
	}
}

// filtering sends to one port, and sees which others may answer. The one that
// may is asked after the others have sent: what has not come by then does not.
func (p prober) filtering() string {
	inside, one, port, two := p.socket("inside"), p.socket("one"), p.socket("one"), p.socket("two")
	other := p.socket("inside")
	p.send(two, p.seen(other, two)) // the router and two have to find each other first
	if _, ok := p.receiveIn(other, expected); !ok {
		p.t.Fatal("no answer comes through")
	}
	mapped := p.seen(inside, one)
	p.send(two, mapped)
	p.send(port, mapped)
	p.send(one, p.seen(inside, one))
	got := map[netip.AddrPort]bool{}
	for !got[addrOf(one)] {
		from, ok := p.receiveIn(inside, expected)
		if !ok {
			p.t.Fatal("the answer does not come through")
		}
		got[from] = true
	}
	switch {
	case got[addrOf(two)]:
		return independent
	case got[addrOf(port)]:
		return byAddress
	default:
		return byPort
	}
}

// answers says whether a stranger is told that a port is closed.
func (p prober) answers() bool {
	router := p.town.site("router")
	to := netip.AddrPortFrom(p.addr(router), 9)
	var refused bool
	err := within(p.town.site("one").namespace, func() error {
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("open?")); err != nil {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
		refused = errors.Is(err, syscall.ECONNREFUSED)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return refused
}

// hairpin says whether a neighbour gets through to the address seen outside.
func (p prober) hairpin() bool {
	inside, neighbour, one := p.socket("inside"), p.socket("neighbour"), p.socket("one")
	p.send(neighbour, p.seen(inside, one))
	_, ok := p.receive(inside)
	return ok
}

// seen is the address that a packet from inside has when it is outside.
func (p prober) seen(inside, outside *net.UDPConn) netip.AddrPort {
	p.send(inside, addrOf(outside))
	from, ok := p.receiveIn(outside, expected)
	if !ok {
		p.t.Fatal("nothing comes through any more")
	}
	return from
}

const (
	patience = time.Second      // to wait for what may not come
	expected = 10 * time.Second // to wait for what has to
)

func (p prober) receive(c *net.UDPConn) (from netip.AddrPort, ok bool) {
	return p.receiveIn(c, patience)
}

func (p prober) receiveIn(c *net.UDPConn, wait time.Duration) (from netip.AddrPort, ok bool) {
	_ = c.SetReadDeadline(time.Now().Add(wait))
	_, from, err := c.ReadFromUDPAddrPort(make([]byte, 16))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal(err)
	}
	return from, err == nil
}

func (p prober) send(c *net.UDPConn, to netip.AddrPort) {
	if _, err := c.WriteToUDPAddrPort([]byte("hello"), to); err != nil {
		p.t.Fatal(err)
	}
}

// socket opens a UDP port of a host.
func (p prober) socket(name string) (c *net.UDPConn) {
	n := p.town.site(name)
	err := within(n.namespace, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.addr(n), 0)))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	return c
}

// connect opens a TCP connection, which every router lets out.
func (p prober) connect(from, to string) {
	var server net.Listener
	err := within(p.town.site(to).namespace, func() (err error) {
		server, err = net.Listen("tcp", netip.AddrPortFrom(p.addr(p.town.site(to)), 0).String())
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	defer server.Close()
	err = within(p.town.site(from).namespace, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
		defer cancel()
		c, err := new(net.Dialer).DialContext(ctx, "tcp", server.Addr().String())
		if err != nil {
			return fmt.Errorf("TCP does not come through: %w", err)
		}
		return c.Close()
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// addr is the address by which a node is probed: the first or, for IPv6, the last.
func (p prober) addr(n *node) netip.Addr {
	i := 0
	if p.v6 {
		i = len(n.addrs) - 1
	}
	return netip.MustParseAddr(bare(n.addrs[i]))
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func TestAccidentsDoWhatTheyShould(t *testing.T) {
	t.Parallel()
	p := prober{t: t}
	p.town = newLab(t).add(t, host("one"), behind(cone, host("inside")).called("router"), behind(cone).called("other"))
	inside, one := p.socket("inside"), p.socket("one")
	mapped := p.seen(inside, one)
	p.send(one, mapped)
	if _, ok := p.receiveIn(inside, expected); !ok {
		t.Error("no answer comes through before anything has happened")
	}
	if err := p.town.site("router").forget(); err != nil {
		t.Fatal(err)
	}
	p.send(one, mapped)
	if _, ok := p.receive(inside); ok {
		t.Error("the router has not forgotten")
	}
	if err := p.town.site("inside").moveTo(p.town.site("other")); err != nil {
		t.Fatal(err)
	}
	if now := p.seen(p.socket("inside"), one); now.Addr() == mapped.Addr() {
		t.Errorf("still seen as %v after the move", now)
	}
}
