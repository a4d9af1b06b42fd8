package storm

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Config is the size and the weather of a world.
type Config struct {
	Seed  uint64
	Nodes int           // at most 128
	Loss  float64       // of frames
	Delay time.Duration // of frames, at most; at least a tenth of it
}

// World is some nodes on one network.
type World struct {
	clock
	cfg   Config
	rand  *rand.Rand
	nodes []*Node
	byKey map[protocols.Key]*Node
	all   []*Message // in the order in which they were sent
	about map[envelope.Digest]*Message
	words words
	log   hash.Hash

	Faults []string // what must never happen, and did
	Frames int      // that were sent
	Audits int
	Peak   int // see Outcome
	Spread int

	sleepers set       // that a massacre spares
	healed   time.Time // the newest partition
}

// Message is one envelope, and what the world knows of it.
type Message struct {
	backup.Item
	Sent      time.Time
	Receipts  [][]byte // that it carries, if it is no message but their envelope
	Stored    bool     // its sender was told so
	Delivered bool     // its sender knows
	Received  time.Time
	Lost      bool // there was no copy left anywhere, before it was received

	copies set // nodes that have it on disk
	within int // samples in a row in which its recipient could have had it
	done   bool
}

// set is a set of nodes.
type set [2]uint64

func (s *set) put(i int)        { s[i/64] |= 1 << (i % 64) }
func (s *set) drop(i int)       { s[i/64] &^= 1 << (i % 64) }
func (s set) and(o set) set     { return set{s[0] & o[0], s[1] & o[1]} }
func (s set) empty() bool       { return s == set{} }
func (s set) count() int        { return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) }
func (s set) without(o set) set { return set{s[0] &^ o[0], s[1] &^ o[1]} }

// New makes a world in which all nodes are up and know each other.
func New(cfg Config) *World {
	w := &World{
		clock: clock{now: Start}, cfg: cfg,
		rand:  rand.New(rand.NewPCG(cfg.Seed, 7)),
		byKey: make(map[protocols.Key]*Node),
		about: make(map[envelope.Digest]*Message),
		words: make(words),
		log:   sha256.New(),
	}
	for i := range cfg.Nodes {
		n := newNode(w, i)
		w.nodes = append(w.nodes, n)
		w.byKey[n.key] = n
	}
	for _, n := range w.nodes {
		n.start()
	}
	return w
}

// Run lets d pass.
func (w *World) Run(d time.Duration) {
	for until := w.now.Add(d); w.step(until); {
	}
}

// Sum is a hash over all that happened: equal for equal seeds.
func (w *World) Sum() [32]byte { return [32]byte(w.log.Sum(nil)) }

// note adds to the history that Sum is over.
func (w *World) note(what byte, values ...uint64) {
	b := binary.BigEndian.AppendUint64([]byte{what}, uint64(w.now.UnixNano()))
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	w.log.Write(b)
}

func (w *World) fault(format string, args ...any) {
	if len(w.Faults) < 20 {
		w.Faults = append(w.Faults, fmt.Sprintf("%v: ", w.now.Sub(Start))+fmt.Sprintf(format, args...))
	}
}

// between is a random time from low to high.
func (w *World) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rand.Int64N(int64(high-low)+1))
}

// carry brings something from one node to another, if the network lets it.
func (w *World) carry(from, to *Node, arrive func()) {
	w.Frames++
	if w.rand.Float64() < w.cfg.Loss {
		return
	}
	w.after(w.between(w.cfg.Delay/10, w.cfg.Delay), func() {
		if from.side == to.side && to.up {
			arrive()
		}
	})
}

// reach says that two nodes could talk now.
func reach(a, b *Node) bool { return a.up && b.up && a.side == b.side }

// Send has one node write to another.
func (w *World) Send(from, to *Node) *Message { return w.send(from, to, nil) }

func (w *World) send(from, to *Node, receipts [][]byte) *Message {
	serial := uint64(len(w.all))
	m := &Message{Sent: w.now, Receipts: receipts}
	m.From, m.To, m.Size = from.key, to.key, 600+w.rand.IntN(2000)
	m.Admitted = w.rand.IntN(4) > 0
	m.End = w.now.Add(24 * time.Hour)
	binary.BigEndian.PutUint64(m.ID[:], serial)
	seed := binary.BigEndian.AppendUint64(nil, w.cfg.Seed)
	m.Digest = sha256.Sum256(binary.BigEndian.AppendUint64(seed, serial))
	w.all = append(w.all, m)
	w.about[m.Digest] = m
	w.note('m', serial, uint64(from.index), uint64(to.index))
	from.accept(m)
	return m
}

// up is the set of the nodes that are up on one side.
func (w *World) sideOf(n *Node) (s set) {
	for _, o := range w.nodes {
		if o.up && o.side == n.side {
			s.put(o.index)
		}
	}
	return s
}

// dead is the set of the nodes that are gone for good.
func (w *World) dead() (s set) {
	for _, n := range w.nodes {
		if n.dead {
			s.put(n.index)
		}
	}
	return s
}

// words is what each signed receipt says: the world checks no signature twice.
type words map[string]*ack.Receipt

func (ws words) verify(r *backup.Reply) *backup.Reply {
	for _, raw := range r.Answer.Receipts {
		r.Receipts, r.Raw = append(r.Receipts, ws[string(raw)]), append(r.Raw, raw)
	}
	return r
}
