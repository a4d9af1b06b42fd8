package groupstest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// Town is where services of groups live.
type Town struct {
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	// Verifier is that of all nodes; it may be changed before the first is made.
	Verifier wire.Verifier

	// Boxed says that keys go in boxes by the hub; it may be changed before the first
	// node is made.
	Boxed bool

	mu    sync.Mutex
	nodes map[protocols.Key]*Node
	lines map[route]*line
	cut   func(a, b protocols.Key) bool
	speed func(from, to protocols.Key) Speed
	drop  func(from, to protocols.Key, hub bool, frame []byte) bool

	talks map[string]map[*Node]judge // by topic
}

// Speed is that of a line, one way. Zero is at once.
type Speed struct {
	Delay time.Duration
	Rate  int  // bytes each second; 0: any number
	Deaf  bool // the receiver reads nothing
}

// New makes an empty town.
func New() *Town {
	t := &Town{
		Verifier: protocols.Main, nodes: make(map[protocols.Key]*Node), lines: make(map[route]*line),
		talks: make(map[string]map[*Node]judge),
		drop:  func(_, _ protocols.Key, _ bool, _ []byte) bool { return false },
		cut:   func(a, b protocols.Key) bool { return false }, speed: func(from, to protocols.Key) Speed { return Speed{} },
	}
	t.ctx, t.stop = context.WithCancel(context.Background())
	return t
}

// Close stops all nodes, and returns when nothing of them goes on.
func (t *Town) Close() {
	t.stop()
	for _, n := range t.all() {
		n.Stop()
	}
	t.work.Wait()
}

func (t *Town) all() []*Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*Node, 0, len(t.nodes))
	for _, n := range t.nodes {
		list = append(list, n)
	}
	return list
}

// Cut says which pairs of nodes cannot talk from now on.
func (t *Town) Cut(f func(a, b protocols.Key) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = f
}

// Drop says which frames are lost from now on.
func (t *Town) Drop(f func(from, to protocols.Key, hub bool, frame []byte) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop = f
}

// Slow says how fast lines are from now on.
func (t *Town) Slow(f func(from, to protocols.Key) Speed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.speed = f
}

// Node is a service with what it needs.
type Node struct {
	*groups.Service
	Key    protocols.Key
	Name   string
	Signer protocols.Signer
	Disk   *Disk
	Metric *prometheus.Registry

	// Serving is on what terms it serves groups that it is not in, from its next
	// start on; nil: it does not.
	Serving *groups.Serving

	// Ahead is how far its clock is ahead, from its next start on.
	Ahead time.Duration

	// Posting is how long its outbox takes to have a message on disk.
	Posting time.Duration
	// PostLost says what its post loses for good; nil: nothing.
	PostLost func(to protocols.Key, contentType string) bool

	town  *Town
	boxer *Boxer // nil: keys go by post alone

	mu       sync.Mutex
	clock    time.Duration // how far it is ahead
	posted   map[protocols.Key]int
	kin      map[protocols.Key]bool
	stop     context.CancelFunc // nil: it does not run
	ended    chan struct{}
	events   []groups.Event
	news     chan struct{} // closed and replaced with each event
	misdeeds map[protocols.Key][]error
}

// Settle makes a node, and lets it run.
func (t *Town) Settle(name string) (*Node, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	n := &Node{
		Name: name, Signer: protocols.NewSigner(protocols.Main, private), Disk: NewDisk(), town: t,
		news: make(chan struct{}), misdeeds: make(map[protocols.Key][]error),
		posted: make(map[protocols.Key]int), kin: make(map[protocols.Key]bool),
	}
	n.Key = n.Signer.Public()
	if t.Boxed {
		if n.boxer, err = newBoxer(n); err != nil {
			return nil, err
		}
	}
	if err := n.Start(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.nodes[n.Key] = n
	return n, nil
}

// Start lets a node run that was stopped, with what its disk has.
func (n *Node) Start() error {
	n.Metric = prometheus.NewRegistry()
	ahead := n.Ahead
	n.mu.Lock()
	n.clock = ahead
	n.mu.Unlock()
	var boxes groups.Boxes
	if n.boxer != nil {
		boxes = n.boxer
	}
	s, err := groups.New(groups.Config{
		Signer: n.Signer, Verifier: n.town.Verifier, Prover: proof.NewVerifier(protocols.Main),
		Lines: lines{n}, Post: n.post, Rows: n.Disk, Shred: Shredder{}, Ratchets: n.Disk,
		Now: func() time.Time { return time.Now().Add(ahead) }, Name: func() string { return n.Name }, Addrs: func() [][]byte { return [][]byte{n.Key[:]} }, Learn: learn,
		Kin: n.relate, Agreed: n.agreed, Boxes: boxes, Topics: topics{n}, Serving: n.Serving, Notify: n.note, Registerer: n.Metric,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	ctx, cancel := context.WithCancel(n.town.ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Service, n.stop, n.ended = s, cancel, make(chan struct{})
	ended := n.ended
	n.town.work.Go(func() {
		defer close(ended)
		_ = s.Run(ctx)
	})
	return nil
}

// learn takes addresses, which are keys here.
func learn(addrs [][]byte) (list []protocols.Key) {
	for _, a := range addrs {
		if len(a) == len(protocols.Key{}) {
			list = append(list, protocols.Key(a))
		}
	}
	return list
}

// Crash ends a node's service, which cannot write any more. Its disk stays.
func (n *Node) Crash() {
	n.CrashAfter(0)
	n.Stop()
	n.Disk.SetFault(nil)
}

// CrashAfter lets a node write so many more times and then no more; Crash
// completes it.
func (n *Node) CrashAfter(writes int) { n.Disk.SetFaultAfter(writes, errCrash) }

var errCrash = errors.New("the node has crashed")

// Stop ends a node's service. Its disk stays.
func (n *Node) Stop() {
	n.mu.Lock()
	stop, ended := n.stop, n.ended
	n.stop = nil
	n.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// service is the node's, nil while it does not run.
func (n *Node) service() *groups.Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stop == nil {
		return nil
	}
	return n.Service
}

func (n *Node) note(e groups.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
	close(n.news)
	n.news = make(chan struct{})
}

// Events are what the node was told so far, and a channel that is closed when
// there is more.
func (n *Node) Events() (list []groups.Event, more <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append(list, n.events...), n.news
}

// Told waits for an event, and returns it.
func (n *Node) Told(ctx context.Context, is func(groups.Event) bool) (groups.Event, error) {
	for {
		list, more := n.Events()
		for _, e := range list {
			if is(e) {
				return e, nil
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			return groups.Event{}, fmt.Errorf("%s was told %v: %w", n.Name, list, ctx.Err())
		}
	}
}

// Misdeeds are what a peer did on its streams to this node that ended them.
func (n *Node) Misdeeds(of protocols.Key) []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]error(nil), n.misdeeds[of]...)
}

// Posted is how many messages the node has given to its post for another.
func (n *Node) Posted(to protocols.Key) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.posted[to]
}

// agreed says whether the clocks of two others besides one tell what the node's does,
// of those that it can talk to.
func (n *Node) agreed(besides protocols.Key) bool {
	n.mu.Lock()
	clock, agree := n.clock, 0
	n.mu.Unlock()
	for _, o := range n.town.all() {
		if o == n || o.Key == besides || n.town.reach(n.Key, o.Key) == nil {
			continue
		}
		o.mu.Lock()
		if (o.clock - clock).Abs() <= time.Minute {
			agree++
		}
		o.mu.Unlock()
	}
	return agree >= 2
}

func (n *Node) relate(k protocols.Key, is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kin[k] = is; !is {
		delete(n.kin, k)
	}
}

// Kin says whether the node was told, last, that it shares a group with another.
func (n *Node) Kin(of protocols.Key) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kin[of]
}

// Boxes are what a node's service seals with; the town is Boxed.
func (n *Node) Boxes() *Boxer { return n.boxer }

// inbound is the receiving end of a line.
type inbound struct {
	to   *Node
	from protocols.Key
}

// Peer is who sends.
func (i inbound) Peer() protocols.Key { return i.from }

// Misbehaved notes it.
func (i inbound) Misbehaved(err error) {
	i.to.mu.Lock()
	defer i.to.mu.Unlock()
	i.to.misdeeds[i.from] = append(i.to.misdeeds[i.from], err)
}
