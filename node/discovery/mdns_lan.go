package discovery

import (
	"errors"
	"net"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// mdnsPort is where mDNS is spoken.
const mdnsPort = 5353

// Groups of mDNS, and addresses that make Go bind the port beside other
// programs that speak it.
var (
	group4 = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: mdnsPort}
	group6 = &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: mdnsPort}
	bind4  = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 0), Port: mdnsPort}
	bind6  = &net.UDPAddr{IP: net.ParseIP("ff02::"), Port: mdnsPort}
)

// hopLimit is what mDNS packets carry; it also shows that they were not routed.
const hopLimit = 255

// maxPacket is the largest that is read, in bytes; RFC 6762 section 17.
const maxPacket = 9000

// lan is the network interfaces on which mDNS is spoken, by IPv4, IPv6 or both.
type lan struct {
	v4     *ipv4.PacketConn // nil: not here
	v6     *ipv6.PacketConn
	heard  chan packet // what does not fit is lost, as on the LAN itself
	ifaces []net.Interface
	work   sync.WaitGroup
}

// packet is what came in, and on which interface.
type packet struct {
	bytes []byte
	iface int
}

// openLAN binds the port and joins the groups on all interfaces there are.
func openLAN() (segment, error) {
	l := &lan{heard: make(chan packet, heardAtOnce)}
	if c, err := net.ListenUDP("udp4", bind4); err == nil {
		l.v4 = ipv4.NewPacketConn(c)
		_ = l.v4.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
		_ = l.v4.SetMulticastTTL(hopLimit)
		l.work.Go(func() { l.read(l.read4) })
	}
	if c, err := net.ListenUDP("udp6", bind6); err == nil {
		l.v6 = ipv6.NewPacketConn(c)
		_ = l.v6.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true)
		_ = l.v6.SetMulticastHopLimit(hopLimit)
		l.work.Go(func() { l.read(l.read6) })
	}
	l.join()
	if len(l.ifaces) == 0 {
		l.close()
		return nil, errNoMulticast
	}
	return l, nil
}

// join looks for interfaces that can multicast, and says whether one is new.
func (l *lan) join() (fresh bool) {
	all, err := net.Interfaces()
	if err != nil {
		return false
	}
	l.ifaces = l.ifaces[:0]
	for _, i := range all {
		const want = net.FlagUp | net.FlagMulticast
		if i.Flags&want != want || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		// Joining again is refused: that it works means that this is new.
		joined4 := l.v4 != nil && l.v4.JoinGroup(&i, group4) == nil
		joined6 := l.v6 != nil && l.v6.JoinGroup(&i, group6) == nil
		fresh = fresh || joined4 || joined6
		l.ifaces = append(l.ifaces, i)
	}
	return fresh
}

// maxFaults is how many failed reads in a row mean that a socket is of no use.
const maxFaults = 100

// read hands on packets until the socket is closed. What was sent to this host
// alone may come from anywhere: mDNS speaks to the group, which no router passes.
func (l *lan) read(next func([]byte) (n, iface int, to net.IP, err error)) {
	buf := make([]byte, maxPacket)
	faults := 0
	for {
		n, iface, to, err := next(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // some systems report what became of packets sent
			if faults++; faults > maxFaults {
				return
			}
			continue
		}
		faults = 0
		if to != nil && !to.IsMulticast() {
			continue
		}
		select {
		case l.heard <- packet{append([]byte(nil), buf[:n]...), iface}:
		default:
		}
	}
}

func (l *lan) read4(buf []byte) (n, iface int, to net.IP, err error) {
	n, cm, _, err := l.v4.ReadFrom(buf)
	if cm != nil {
		iface, to = cm.IfIndex, cm.Dst
	}
	return n, iface, to, err
}

func (l *lan) read6(buf []byte) (n, iface int, to net.IP, err error) {
	n, cm, _, err := l.v6.ReadFrom(buf)
	if cm != nil {
		iface, to = cm.IfIndex, cm.Dst
	}
	return n, iface, to, err
}

// sendAll sends b on every interface.
func (l *lan) sendAll(b []byte) {
	for i := range l.ifaces {
		l.sendOn(b, &l.ifaces[i])
	}
}

// send sends b on the interface of that index, or on all where the system does
// not tell which it is.
func (l *lan) send(b []byte, index int) {
	for i := range l.ifaces {
		if index == 0 || l.ifaces[i].Index == index {
			l.sendOn(b, &l.ifaces[i])
		}
	}
}

// sendOn sends b on one interface. What is lost is asked for again.
func (l *lan) sendOn(b []byte, i *net.Interface) {
	if len(b) == 0 {
		return
	}
	if l.v4 != nil && l.v4.SetMulticastInterface(i) == nil {
		_, _ = l.v4.WriteTo(b, nil, group4)
	}
	if l.v6 != nil && l.v6.SetMulticastInterface(i) == nil {
		_, _ = l.v6.WriteTo(b, nil, group6)
	}
}

func (l *lan) packets() <-chan packet { return l.heard }

func (l *lan) close() {
	if l.v4 != nil {
		_ = l.v4.Close()
	}
	if l.v6 != nil {
		_ = l.v6.Close()
	}
	l.work.Wait()
}
