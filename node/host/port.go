package host

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Ports are chosen below those that systems hand out for outgoing connections,
// so that ours is still free at the next start.
const (
	lowestPort  = 20_000
	highestPort = 32_767
	portTries   = 64
)

// errNoPort: so many ports in a row are not taken by chance.
var errNoPort = errors.New("no free port found: another program takes them, or listening is not allowed")

// choosePort returns wanted if it is free for all of addrs that leave the port
// open, or another that is.
func choosePort(addrs []multiaddr.Multiaddr, wanted int) (port int, taken bool, err error) {
	open := openPorts(addrs)
	if len(open) == 0 {
		return wanted, false, nil
	}
	if wanted != 0 && free(open, wanted) {
		return wanted, false, nil
	}
	for range portTries {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		if free(open, port) {
			return port, wanted != 0, nil
		}
	}
	return 0, false, errNoPort
}

// socket is what an address binds.
type socket struct{ network, ip string }

// openPorts returns the sockets of the addresses that leave the port open.
func openPorts(addrs []multiaddr.Multiaddr) []socket {
	var open []socket
	for _, a := range addrs {
		network, hostport, err := manet.DialArgs(bare(a))
		if err != nil {
			continue
		}
		if ip, port, err := net.SplitHostPort(hostport); err == nil && port == "0" {
			open = append(open, socket{network, ip})
		}
	}
	return open
}

// bare cuts an address after its port.
func bare(a multiaddr.Multiaddr) multiaddr.Multiaddr {
	for i, c := range a {
		if code := c.Protocol().Code; code == multiaddr.P_TCP || code == multiaddr.P_UDP {
			return a[:i+1]
		}
	}
	return a
}

// free says that every socket can be bound to port. Sockets that cannot be
// bound to any port, for want of IPv6 perhaps, do not count.
func free(open []socket, port int) bool {
	for _, s := range open {
		if s.bind(port) != nil && s.bind(0) == nil {
			return false
		}
	}
	return true
}

// bind tries a port and gives it back.
func (s socket) bind(port int) error {
	var c io.Closer
	var err error
	at := net.JoinHostPort(s.ip, strconv.Itoa(port))
	switch s.network {
	case "udp4", "udp6", "udp":
		c, err = net.ListenPacket(s.network, at)
	default:
		c, err = net.Listen(s.network, at)
	}
	if err != nil {
		return err
	}
	return c.Close()
}

// withPort puts port into the addresses that leave it open.
func withPort(addrs []multiaddr.Multiaddr, port int) ([]multiaddr.Multiaddr, error) {
	out := make([]multiaddr.Multiaddr, 0, len(addrs))
	for _, a := range addrs {
		filled := make(multiaddr.Multiaddr, 0, len(a))
		for _, c := range a {
			p := c.Protocol()
			if (p.Code == multiaddr.P_TCP || p.Code == multiaddr.P_UDP) && c.Value() == "0" {
				set, err := multiaddr.NewComponent(p.Name, strconv.Itoa(port))
				if err != nil {
					return nil, fmt.Errorf("port %d: %w", port, err)
				}
				c = *set
			}
			filled = append(filled, c)
		}
		out = append(out, filled)
	}
	return out, nil
}
