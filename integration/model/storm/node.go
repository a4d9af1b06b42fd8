package storm

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

const (
	diskTime   = 5 * time.Millisecond
	fetchFrom  = 8 // nodes that a recipient asks at a time
	fetchTimes = 4
	maxPerSign = ack.MaxEntries
)

// Node is one device: what survives a crash, and the process that does not.
type Node struct {
	w      *World
	index  int
	key    protocols.Key
	signer protocols.Signer
	place  backup.Place
	joined time.Time

	side int
	up   bool
	dead bool
	seen time.Time // when it was last up
	came time.Time // when it was last started

	// On disk.
	copies map[envelope.Digest]*row
	inbox  map[envelope.Digest]int
	outbox []*Message
	watch  []time.Duration // for how long each other was seen up

	// Of the process.
	run    int // counts the processes
	keeper *backup.Keeper
	woken  time.Time
	peers  []*Node
}

// row is a copy on disk, or what is left of one.
type row struct {
	item    backup.Item
	receipt []byte
	since   time.Time
}

func newNode(w *World, i int) *Node {
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, w.cfg.Seed)
	binary.BigEndian.PutUint64(seed[8:], uint64(i))
	s := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(seed))
	return &Node{
		w: w, index: i, key: s.Public(), signer: s,
		place:  backup.Place([]byte{byte(i / 2)}), // two in each
		joined: Start.Add(-time.Duration(i) * time.Hour),
		copies: make(map[envelope.Digest]*row),
		inbox:  make(map[envelope.Digest]int),
		watch:  make([]time.Duration, w.cfg.Nodes),
	}
}

// Keys of a disk, in order: what iterates over a map must not depend on chance.
func (n *Node) digests() []envelope.Digest {
	all := make([]envelope.Digest, 0, len(n.copies))
	for d := range n.copies {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b envelope.Digest) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// start starts the process.
func (n *Node) start() {
	if n.dead || n.up {
		return
	}
	n.up, n.came = true, n.w.now
	n.run++
	n.woken = time.Time{}
	n.w.note('u', uint64(n.index))
	n.keeper = backup.NewKeeper(n.key, backup.Limits{}, n.w.rand.Uint64())
	for _, d := range n.digests() {
		if r := n.copies[d]; r.receipt != nil {
			n.keeper.LoadGone(n.w.now, r.item, r.receipt)
		} else {
			n.keeper.Load(n.w.now, r.item)
		}
	}
	for _, m := range n.outbox {
		n.keeper.Place(n.w.now, m.Item)
	}
	n.act()
	n.comeBack()
	n.later(5*time.Minute, n.fetchOn)
}

// stop ends the process without a word.
func (n *Node) stop() {
	if !n.up {
		return
	}
	for _, o := range n.w.nodes {
		n.watch[o.index] += n.together(o)
		o.watch[n.index] += o.together(n)
	}
	n.up, n.seen, n.keeper = false, n.w.now, nil
	n.w.note('d', uint64(n.index))
	for _, p := range n.peers {
		n.w.lost(p, n)
	}
	n.peers = nil
}

// die is stop, and the disk with it.
func (n *Node) die() {
	n.stop()
	n.dead = true
	for _, d := range n.digests() {
		n.remove(d)
	}
	n.outbox = nil
}

// later runs something in this process.
func (n *Node) later(d time.Duration, do func()) {
	run := n.run
	n.w.after(d, func() {
		if n.up && n.run == run {
			do()
		}
	})
}

// lost lets a node notice, some time later, that another is not there any more.
func (w *World) lost(n, other *Node) {
	n.peers = slices.DeleteFunc(n.peers, func(p *Node) bool { return p == other })
	n.later(w.between(time.Second, 40*time.Second), func() {
		if !slices.Contains(n.peers, other) {
			n.keeper.PeerDown(w.now, other.key)
			n.act()
		}
	})
}

// connect is a connection between two nodes.
func connect(a, b *Node) {
	if a == b || slices.Contains(a.peers, b) {
		return
	}
	a.peers, b.peers = append(a.peers, b), append(b.peers, a)
	for _, x := range []*Node{a, b} {
		other := a
		if x == a {
			other = b
		}
		x.keeper.PeerUp(x.w.now, other.key)
		x.act()
	}
}

// known are the nodes that n takes for being there.
func (n *Node) known() []backup.Candidate {
	var all []backup.Candidate
	for _, o := range n.w.nodes {
		if !(reach(n, o) || n.w.now.Sub(o.seen) < 2*time.Minute) {
			continue
		}
		all = append(all, backup.Candidate{
			Key: o.key, Place: o.place, Offers: o.index%3 == 0, Known: n.w.now.Sub(o.joined),
			Uptime: n.watched(o),
		})
	}
	return all
}

// watched is how long n has seen another up, over its restarts: nodes see
// different things.
func (n *Node) watched(o *Node) time.Duration {
	before := min(Start.Sub(n.joined), Start.Sub(o.joined)) // they were up all the time
	return before + n.watch[o.index] + n.together(o)
}

// together is for how long two nodes have both been up now.
func (n *Node) together(o *Node) time.Duration {
	if !n.up || !o.up {
		return 0
	}
	return min(n.w.now.Sub(n.came), n.w.now.Sub(o.came))
}

// comeBack looks for mail everywhere: with the nodes that rank first, some at a
// time, and with those whom the DHT names.
func (n *Node) comeBack() {
	for i := range fetchTimes {
		n.later(time.Duration(i*i)*2*time.Second, func() { n.fetch(i) })
	}
	n.later(12*time.Second, n.fetchProvided)
	n.announce()
}

// fetch asks the i-th few of those who rank first for mail.
func (n *Node) fetch(i int) {
	all := slices.DeleteFunc(n.known(), func(c backup.Candidate) bool { return c.Key == n.key })
	backup.Sort(n.key, all)
	all = all[min(i*fetchFrom, len(all)):]
	for _, c := range all[:min(fetchFrom, len(all))] {
		n.fetchAt(n.w.byKey[c.Key])
	}
}

func (n *Node) fetchAt(o *Node) {
	n.w.carry(n, o, func() {
		if n.up {
			connect(o, n)
			o.serveFetch(n, nil)
		}
	})
}

// fetchProvided asks those who have been in the DHT for a while as holders of
// this node's mail.
func (n *Node) fetchProvided() {
	asked := 0
	for _, o := range n.w.nodes {
		if asked < fetchFrom && reach(n, o) && o.provides(n.key) {
			n.fetchAt(o)
			asked++
		}
	}
}

const provideTime = 30 * time.Second

func (n *Node) provides(to protocols.Key) bool {
	for _, r := range n.copies {
		if r.receipt == nil && r.item.To == to && n.w.now.Sub(r.since) > provideTime {
			return true
		}
	}
	return false
}

func (n *Node) fetchOn() {
	n.fetch(0)
	n.later(n.w.between(4*time.Minute, 6*time.Minute), n.fetchOn)
}

func (n *Node) serveFetch(asker *Node, after *envelope.Digest) {
	page, more := n.keeper.FetchAsked(n.w.now, asker.key, after)
	n.act()
	if len(page) == 0 {
		return
	}
	n.w.carry(n, asker, func() {
		asker.receive(n, page)
		if last := page[len(page)-1]; more {
			n.w.carry(asker, n, func() { n.serveFetch(asker, &last) })
		}
	})
}

// announce lets authors who wait for this node know that it is there.
func (n *Node) announce() {
	for _, a := range n.w.nodes {
		waits := slices.ContainsFunc(a.outbox, func(m *Message) bool { return m.To == n.key })
		if a == n || !reach(a, n) || !waits {
			continue
		}
		a.later(n.w.between(time.Second, 40*time.Second), func() { a.retry(n) })
	}
}

// retry sends what waits for a node directly.
func (n *Node) retry(to *Node) {
	if !reach(n, to) {
		return
	}
	for _, m := range n.outbox {
		if m.To == to.key {
			n.direct(m, to)
		}
	}
}

// accept takes on a message of this node.
func (n *Node) accept(m *Message) {
	n.outbox = append(n.outbox, m)
	to := n.w.byKey[m.To]
	if reach(n, to) {
		n.direct(m, to)
	}
	n.later(1500*time.Millisecond, func() {
		if slices.Contains(n.outbox, m) {
			n.keeper.Place(n.w.now, m.Item)
			n.act()
		}
	})
}

func (n *Node) direct(m *Message, to *Node) {
	n.w.carry(n, to, func() { to.receive(n, []envelope.Digest{m.Digest}) })
	n.later(10*time.Second, func() { // the ladder's own retry
		if slices.Contains(n.outbox, m) && reach(n, to) {
			n.direct(m, to)
		}
	})
}

// receive takes in envelopes that a node has brought, and signs for them.
func (n *Node) receive(from *Node, digests []envelope.Digest) {
	type bundle struct {
		author *Node
		kind   ack.Kind
	}
	var order []bundle
	entries := make(map[bundle][]ack.Entry)
	for _, d := range digests {
		m := n.w.about[d]
		if m.To != n.key {
			n.w.fault("node %d was sent the mail of another", n.index)
			continue
		}
		if n.w.now.After(m.End) {
			continue
		}
		n.deliver(m)
		b := bundle{n.w.byKey[m.From], ack.Delivered}
		if m.Receipts != nil {
			b.kind = ack.Got
		}
		if entries[b] == nil {
			order = append(order, b)
		}
		entries[b] = append(entries[b], ack.Entry{ID: m.ID, Digest: m.Digest.Short()})
	}
	for _, b := range order {
		for chunk := range slices.Chunk(entries[b], maxPerSign) {
			n.sign(from, b.author, b.kind, chunk)
		}
	}
}

func (n *Node) deliver(m *Message) {
	n.w.note('r', binary.BigEndian.Uint64(m.ID[:]))
	if n.inbox[m.Digest] == 0 { // the duplicate window
		n.inbox[m.Digest]++
		m.Received = n.w.now
	}
	for _, raw := range m.Receipts {
		n.receipt(raw)
	}
}

// sign signs for envelopes of an author and brings the receipt to who brought
// them, and to the author by any path.
func (n *Node) sign(from, author *Node, kind ack.Kind, entries []ack.Entry) {
	r := ack.Receipt{Kind: kind, From: n.key, To: author.key, Time: uint64(n.w.now.UnixMilli()), Entries: entries}
	raw := ack.Sign(n.signer, r)
	n.w.words[string(raw)] = &r
	if from != author {
		n.w.carry(n, from, func() {
			from.keeper.Receipt(n.w.now, n.key, &r, raw)
			from.act()
		})
	}
	if reach(n, author) {
		n.w.carry(n, author, func() { author.receipt(raw) })
	} else if kind == ack.Delivered && !author.dead {
		n.w.send(n, author, [][]byte{raw})
	}
}

// receipt takes in a receipt for messages of this node.
func (n *Node) receipt(raw []byte) {
	r := n.w.words[string(raw)]
	for _, e := range r.Entries {
		i := slices.IndexFunc(n.outbox, func(m *Message) bool { return m.ID == e.ID })
		if i >= 0 {
			n.outbox[i].Delivered = true
			n.outbox = slices.Delete(n.outbox, i, i+1)
		}
	}
	n.keeper.Receipt(n.w.now, n.key, r, raw)
	n.act()
}

func (n *Node) put(it backup.Item) {
	n.copies[it.Digest] = &row{item: it, since: n.w.now}
	n.w.about[it.Digest].copies.put(n.index)
}

func (n *Node) remove(d envelope.Digest) {
	delete(n.copies, d)
	n.w.about[d].copies.drop(n.index)
}
