package links

import (
	"bytes"
	"slices"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/protocols/delivery"
)

// Info is what is known of a neighbour that is up.
type Info struct {
	Peer    Peer
	Name    string        // what it calls itself: a claim
	Version string        // what it says it runs: a claim
	Path    delivery.Path // of the connection in use
	RTT     time.Duration // smoothed, of the connection in use; 0: none yet
	Since   time.Time     // when the oldest of its connections was made

	Addr        multiaddr.Multiaddr // the other end of the connection in use
	Greeted     bool                // it has said hello: Name, Version and ClockOffset count
	ClockOffset time.Duration       // its clock minus ours
	Load        uint8               // how busy it says it is, 255 the most

	State  State     // Online
	SeenAt time.Time // the newest sign of life on the connection in use
	Left   int64     // bytes that a relay still lets through to the peer; -1: any number
	Ends   time.Time // when the relay ends the circuit in use; zero: never
}

// Peers returns the neighbours that are up, in the order of their keys.
func (l *Links) Peers() []Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	infos := make([]Info, 0, len(l.peers))
	for _, n := range l.peers {
		if n.up() {
			infos = append(infos, n.info())
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return bytes.Compare(a.Peer[:], b.Peer[:]) })
	return infos
}

func (n *neighbour) info() Info {
	c := n.used
	return Info{
		Peer:        n.key,
		Name:        n.hello.Name,
		Version:     n.hello.Agent,
		Path:        c.path,
		RTT:         c.pulse.rtt,
		Since:       n.conns[0].Stat().Opened,
		Addr:        c.RemoteMultiaddr(),
		Greeted:     n.hello.Time != 0,
		ClockOffset: n.offset,
		Load:        n.load,
		State:       Online,
		SeenAt:      c.life.last(),
		Left:        c.quota.left(),
		Ends:        c.quota.ends(),
	}
}
