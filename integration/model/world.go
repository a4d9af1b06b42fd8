package model

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// epoch is when every world begins.
var epoch = time.UnixMilli(1_790_000_000_000)

// Options are what a world is made with.
type Options struct {
	Nodes int
	Relay bool // one more node is a relay that the charter lists, and is no member
	Seed  uint64
	Beat  time.Duration // 0: 500 ms
	Delay time.Duration // one way; 0: 20 ms
	Loss  int           // per mille of frames that are lost
	Drops int           // per mille of packets that a link loses: the transport sends them again
	Late  int           // per mille of frames that come late, as if sent again
	Spike time.Duration // how late, at most; 0: 400 ms
	Skew  time.Duration // how far clocks are off, at most
	Bytes bool          // frames are encoded and parsed on their way
	Trace bool
	All   bool // every frame is traced too
}

// Node is one member.
type Node struct {
	ID       int
	Key      protocols.Key
	Seat     *seat.Seat // nil: it is down
	Up       bool
	Paused   bool
	Restarts int
	disk     seat.Disk
	root     *member.Root
	invited  bool      // it joined, and is told again what the log is, if branches have met since
	told     bool      // it is about to be
	relay    *relay    // nil: a member
	stranger bool      // it sends, and is not there
	gone     bool      // it was shown that it was kicked
	joined   time.Time // when it joined; zero: it was there from the beginning
	skew     time.Duration
	wake     time.Time
	inbox    []event
	life     int // counts starts: what was sent to an earlier one is lost
	written  int
	seen     map[wire.RecordName]int // how often each record arrived
}

// World is a group and its network.
type World struct {
	Options
	Now      time.Time
	Nodes    []*Node
	Accepted map[wire.RecordName]Acceptance
	Refused  map[wire.RecordName]bool
	Trace    []string
	Broken   []string // invariants, as they are seen broken
	Claims   int
	Withheld int // times that one was said to withhold who does not
	Turned   int // refusals that strangers got
	Told     int // times that a hub told of one
	Blamed   int // times that the liar was named for something
	Reported int // claims that a member's report made possible
	Withdrew int
	Merges   int
	Versions int
	Frames   int
	latest   Acceptance
	Changed  time.Time // when links were cut or mended last
	kicked   int
	joins    int
	lying    *Node
	fork     func(from, to *Node, f wire.Frame) wire.Frame // what a forking hub makes of its frames
	deaf     func(to *Node, r *wire.Record) bool           // which records a hub does not take
	writing  int                                           // counts calls of WriteEvery
	charter  *wire.Charter
	dead     map[int]bool   // for good
	doubted  map[[2]int]int // how often a node did not believe another's claim
	unrooted map[int]int    // how often a node was shown a log that it does not trust
	byKey    map[protocols.Key]*Node
	rand     *rand.Rand
	events   events
	order    uint64
	last     map[[2]int]time.Time // of a directed link: frames stay in order
	cut      map[[2]int]bool
	extra    map[[2]int]time.Duration
	signed   map[placed]wire.LogHash
}

// Acceptance is an author's word that its record was accepted.
type Acceptance struct {
	Name     wire.RecordName
	Replicas uint64
	Place    wire.Place
	At       time.Time
	By       int
}

// placed is a place of one term's log.
type placed struct {
	term wire.Term
	seq  wire.Seq
}

// event is a frame that arrives, or a call.
type event struct {
	at       time.Time
	order    uint64
	to, from int
	life     int
	frame    wire.Frame
	call     func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return x
}

// New makes a world whose members have joined already; the first is hub.
func New(o Options) *World {
	o.Beat, o.Delay, o.Spike = or(o.Beat, 500*time.Millisecond), or(o.Delay, 20*time.Millisecond), or(o.Spike, 400*time.Millisecond)
	w := &World{
		Options: o, Now: epoch, Accepted: make(map[wire.RecordName]Acceptance), Refused: make(map[wire.RecordName]bool),
		byKey: make(map[protocols.Key]*Node), rand: rand.New(rand.NewPCG(o.Seed, 1)),
		unrooted: make(map[int]int), doubted: make(map[[2]int]int), last: make(map[[2]int]time.Time), cut: make(map[[2]int]bool), extra: make(map[[2]int]time.Duration), signed: make(map[placed]wire.LogHash),
	}
	disk := w.found(o)
	for i := range o.Nodes {
		n := &Node{ID: i, Key: keyOf(i), disk: disk.Clone(), seen: make(map[wire.RecordName]int)}
		if o.Skew > 0 {
			n.skew = time.Duration(w.rand.Int64N(2*int64(o.Skew))) - o.Skew
		}
		w.Nodes = append(w.Nodes, n)
		w.byKey[n.Key] = n
	}
	for _, n := range w.Nodes {
		w.start(n, false)
	}
	if o.Relay {
		w.relay()
	}
	return w
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// found makes a group of all nodes, and what each has on disk of it.
func (w *World) found(o Options) seat.Disk {
	v, creator := verifier{"model"}, signer{keyOf(0)}
	c, err := wire.ParseCharter(v, wire.Charter{Settings: wire.Settings{
		Name: "model", Open: true, Max: wire.MaxMembers, Beat: wire.Millis(o.Beat.Milliseconds()), HubRelays: relaysOf(o),
	}}.Sign(creator))
	check(err)
	w.charter = c
	first, err := failover.First(creator, c, v)
	check(err)
	d := seat.Disk{Failover: failover.Durable{Current: first}}
	l := ledger.New(v, c)
	for i := 1; i < o.Nodes; i++ {
		r := w.record(keyOf(i), 0, wire.KindJoin, (&wire.Join{Name: name(i)}).Append(nil))
		e := &wire.Entry{Record: r}
		p := wire.Place{Number: 1, Primary: creator.key, Seq: wire.Seq(i)}
		_, err := l.Append(p, e.Append(nil), e)
		check(err)
		d.Log = append(d.Log, seat.Stored{Place: p, Raw: e.Append(nil)})
	}
	return d
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// names are those of the first nodes, for traces.
var names = []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}

func name(i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("n%d", i)
}

// record signs a record of a node, whose id says which of its records it is.
func (w *World) record(k protocols.Key, n int, kind wire.Kind, payload []byte) *wire.Record {
	id := wire.RecordID{byte(n), byte(n >> 8), byte(n >> 16), byte(kind)}
	b := wire.SignRecords(signer{k}, []wire.Record{{
		Group: w.charter.Group(), ID: id, Kind: kind, Time: wire.Millis(w.Now.UnixMilli()), Payload: payload,
	}})[0]
	r, err := wire.ParseRecord(b)
	check(err)
	return r
}

func (w *World) trace(format string, args ...any) {
	if w.Options.Trace {
		w.Trace = append(w.Trace, fmt.Sprintf("%7.2f  ", w.Now.Sub(epoch).Seconds())+fmt.Sprintf(format, args...))
	}
}

// Age is how long the world has run.
func (w *World) Age() time.Duration { return w.Now.Sub(epoch) }

// Clock is the time as the node has it.
func (w *World) Clock(n *Node) time.Time { return w.clock(n) }

// clock is Clock.
func (w *World) clock(n *Node) time.Time { return w.Now.Add(n.skew) }

func (w *World) start(n *Node, restart bool) {
	s, err := seat.New(w.clock(n), seat.Config{
		Charter: w.charter, Signer: signer{n.Key}, Verifier: verifier{"model"}, Prover: prover{}, Root: n.root, Lister: n.relay.by(),
	}, n.disk, restart)
	check(err)
	n.Seat, n.Up, n.life, n.wake = s, true, n.life+1, time.Time{}
	w.act(n)
}

// Crash stops a node. lost says that what it sent last never left.
func (w *World) Crash(n *Node, lost bool) {
	if !n.Up {
		return
	}
	w.trace("%s crashes", name(n.ID))
	n.Seat, n.Up, n.Paused, n.inbox = nil, false, false, nil
	if lost {
		for i := range w.events {
			if e := &w.events[i]; e.frame != nil && e.from == n.ID {
				e.life = -1
			}
		}
	}
}

// Restart starts a node that crashed, with what it had on disk.
func (w *World) Restart(n *Node) {
	if n.Up || n.gone || n.relay.idle() {
		return
	}
	w.trace("%s restarts", name(n.ID))
	n.Restarts++
	w.start(n, true)
}

// Pause stops a node without its knowing; Resume lets it go on.
func (w *World) Pause(n *Node) {
	if n.Up && !n.Paused {
		w.trace("%s stands still", name(n.ID))
		n.Paused = true
	}
}

// Resume lets a paused node go on, with all that came meanwhile.
func (w *World) Resume(n *Node) {
	if !n.Paused {
		return
	}
	w.trace("%s goes on", name(n.ID))
	n.Paused, n.wake = false, time.Time{}
	w.schedule(n)
	for _, e := range n.inbox {
		e.at = w.Now
		w.push(e)
	}
	n.inbox = nil
}

// Split cuts all links between the nodes of side and the others.
func (w *World) Split(side func(int) bool) {
	w.Changed = w.Now
	for i := range w.Nodes {
		for j := range w.Nodes {
			if side(i) != side(j) {
				w.cut[[2]int{i, j}] = true
			} else {
				delete(w.cut, [2]int{i, j})
			}
		}
	}
}

// Cut cuts one direction of a link.
func (w *World) Cut(from, to int) {
	w.trace("%s does not reach %s any more", name(from), name(to))
	w.cut[[2]int{from, to}], w.Changed = true, w.Now
}

// Heal mends all links.
func (w *World) Heal() {
	w.Changed = w.Now
	w.trace("all links are mended")
	clear(w.cut)
}

// Slow makes a directed link slower, until it is called with 0.
func (w *World) Slow(from, to int, by time.Duration) {
	if by == 0 {
		delete(w.extra, [2]int{from, to})
	} else {
		w.extra[[2]int{from, to}] = by
	}
}

// After calls f later.
func (w *World) After(d time.Duration, f func()) { w.push(event{at: w.Now.Add(d), to: -1, call: f}) }

func (w *World) push(e event) {
	w.order++
	e.order = w.order
	heap.Push(&w.events, e)
}

// Run runs the world for a while.
func (w *World) Run(d time.Duration) {
	end := w.Now.Add(d)
	w.Until(d, func() bool { return false })
	w.Now = end
}

// Until runs the world until done, at most for a while, and says whether it was.
func (w *World) Until(d time.Duration, done func() bool) bool {
	end := w.Now.Add(d)
	for len(w.events) > 0 && !w.events[0].at.After(end) {
		e := heap.Pop(&w.events).(event)
		w.Now = e.at
		w.handle(e)
		if done() {
			return true
		}
	}
	return false
}

func (w *World) handle(e event) {
	if e.to < 0 {
		e.call()
		return
	}
	n := w.Nodes[e.to]
	if o, ok := e.frame.(*wire.Offer); ok && !w.cut[[2]int{e.from, e.to}] && w.takes(n) {
		w.serve(n, o)
		return
	}
	if !n.Up || e.life != n.life {
		return
	}
	if n.Paused {
		if e.frame != nil {
			n.inbox = append(n.inbox, e)
		}
		return
	}
	if e.frame == nil { // its alarm
		if e.at.Equal(n.wake) {
			n.wake = time.Time{}
			n.Seat.Tick(w.clock(n))
			w.act(n)
		}
		return
	}
	if w.cut[[2]int{e.from, e.to}] {
		return
	}
	w.Frames++
	if w.All {
		w.trace("    %s to %s, in term %d: %T", name(e.from), name(e.to), n.Seat.Branch().Record.Number, e.frame)
	}
	if err := w.deliver(n, e); err != nil {
		w.blame(w.Nodes[e.from].Key, "%s refuses a frame of %s: %T: %v", name(e.to), name(e.from), e.frame, err)
	}
	w.act(n)
}

// blame notes that a node was named for something: the liar, or wrongly.
func (w *World) blame(who protocols.Key, format string, args ...any) {
	if w.lying != nil && who == w.lying.Key {
		w.Blamed++
		return
	}
	w.broke(format, args...)
}

func (w *World) deliver(n *Node, e event) error {
	if f, ok := e.frame.(*wire.Publish); ok && w.deaf != nil {
		e.frame = w.withoutDeaf(n, f)
	}
	if _, ok := e.frame.(*wire.TopicHead); ok {
		return n.Seat.HearTopic(w.clock(n), e.frame)
	}
	return n.Seat.Receive(w.clock(n), w.Nodes[e.from].Key, e.frame)
}

func (w *World) broke(format string, args ...any) {
	if len(w.Broken) < 20 {
		w.trace("BROKEN: "+format, args...)
		w.Broken = append(w.Broken, fmt.Sprintf("%7.2f ", w.Now.Sub(epoch).Seconds())+fmt.Sprintf(format, args...))
	}
}

// act carries out what a node wants done.
func (w *World) act(n *Node) {
	r := n.Seat.Ready(w.clock(n))
	n.disk.Apply(r.Save)
	for _, s := range r.Send {
		if to, ok := w.byKey[s.To]; ok {
			w.send(n, to, s.Frame)
		}
	}
	for _, f := range r.Topic {
		for _, to := range w.Nodes {
			if to != n {
				w.send(n, to, f)
			}
		}
	}
	for _, e := range r.Hub {
		w.hubEvent(n, e)
	}
	for _, e := range r.Record {
		w.recordEvent(n, e)
	}
	for _, s := range n.Seat.Acknowledge(w.clock(n)) {
		w.send(n, w.byKey[s.To], s.Frame)
	}
	w.schedule(n)
}

// schedule sets the node's alarm.
func (w *World) schedule(n *Node) {
	at := n.Seat.Deadline().Add(-n.skew)
	if soonest := w.Now.Add(10 * time.Millisecond); at.Before(soonest) {
		at = soonest
	}
	if n.wake.IsZero() || at.Before(n.wake) || n.wake.Before(w.Now) {
		n.wake = at
		w.push(event{at: at, to: n.ID, life: n.life})
	}
}

func (w *World) send(from, to *Node, f wire.Frame) {
	link := [2]int{from.ID, to.ID}
	if _, refused := f.(*wire.Refused); refused && to.stranger {
		w.Turned++
	}
	if w.cut[link] || !to.Up && !to.relay.idle() || (w.Loss > 0 && w.rand.IntN(1000) < w.Loss) {
		return
	}
	at := w.Now.Add(w.Delay/2 + time.Duration(w.rand.Int64N(int64(w.Delay)))).Add(w.extra[link])
	if w.Late > 0 && w.rand.IntN(1000) < w.Late {
		at = at.Add(time.Duration(w.rand.Int64N(int64(w.Spike))))
	}
	for again := 2*w.Delay + 25*time.Millisecond; w.Drops > 0 && w.rand.IntN(1000) < w.Drops; again *= 2 {
		at = at.Add(again)
	}
	if at.Before(w.last[link]) {
		at = w.last[link]
	}
	w.last[link] = at
	if w.Bytes {
		f = reparsed(f)
	}
	if w.fork != nil {
		f = w.fork(from, to, f)
	}
	if r, ok := f.(*wire.Records); ok && from != w.lying {
		w.checkHead(from, r.Head)
	}
	w.push(event{at: at, to: to.ID, from: from.ID, life: to.life, frame: f})
}

// reparsed is the frame as it comes out of its bytes.
func reparsed(f wire.Frame) wire.Frame {
	parse := wire.ParseGroupFrame
	if _, ok := f.(*wire.TopicHead); ok {
		parse = wire.ParseTopicFrame
	} else if wire.OnHub(f) {
		parse = wire.ParseHubFrame
	}
	again, err := parse(verifier{"model"}, wire.AppendFrame(nil, f))
	check(err)
	return again
}

func (w *World) hubEvent(n *Node, e failover.Event) {
	who := name(n.ID)
	if e.Kind == failover.Equivocated {
		w.trace("%s learns that %s signed two things", who, w.nameOf(e.Peer))
		if w.lying == nil || e.Peer != w.lying.Key {
			w.broke("%s equivocated", w.nameOf(e.Peer))
		}
		return
	}
	if e.Kind == failover.Disbelieved {
		w.doubted[[2]int{n.ID, w.byKey[e.Peer].ID}]++
		return
	}
	r := e.Branch.Record
	switch e.Kind {
	case failover.Claimed:
		w.Claims++
		if e.Reported {
			w.Reported++
		}
		w.trace("%s claims term %d (%v)", who, r.Number, r.Cause)
	case failover.Withdrew:
		w.Withdrew++
		w.trace("%s withdraws its claim of term %d", who, r.Number)
	case failover.Merged:
		w.Merges++
		w.trace("%s merges into term %d", who, r.Number)
	case failover.Named:
		w.Versions++
		w.trace("%s names shadow %s, candidate %s (term %d version %d)", who, w.nameOf(r.Shadow), w.nameOf(r.Candidate), r.Number, r.Version)
	case failover.SteppedDown:
		w.trace("%s steps down", who)
	case failover.Followed:
		if r.Version == 1 {
			w.trace("%s follows %s in term %d", who, w.nameOf(r.Primary), r.Number)
		}
	}
}

func (w *World) nameOf(k protocols.Key) string {
	if n := w.byKey[k]; n != nil {
		return name(n.ID)
	}
	return "nobody"
}

func (w *World) recordEvent(n *Node, e member.Event) {
	switch e.Kind {
	case member.Accepted:
		a := Acceptance{Name: e.Name, Replicas: max(e.Replicas, w.Accepted[e.Name].Replicas), Place: e.Place, At: w.Now, By: n.ID}
		if _, known := w.Accepted[e.Name]; !known {
			w.trace("%s: record %d accepted at (%d, %d), replicas %d", name(n.ID), e.Name.ID[0], e.Place.Number, e.Place.Seq, e.Replicas)
		}
		w.Accepted[e.Name], w.latest = a, a
	case member.Refused:
		w.trace("%s: record %d refused: %v", name(n.ID), e.Name.ID[0], e.Reason)
		w.Refused[e.Name] = true
	case member.Arrived:
		if n.seen[e.Record.Name()]++; n.seen[e.Record.Name()] > 1 && n.Restarts == 0 {
			w.broke("%s: a record arrived twice", name(n.ID))
		}
		if hub := e.Place.Primary; e.Undue {
			w.blame(hub, "%s: %s took a record that it should have refused: %v", name(n.ID), w.nameOf(hub), e.Err)
		}
		w.served(n, e.Record)
	case member.Rooted:
		n.root = nil
	case member.Turned:
		if w.byKey[e.Peer].stranger {
			w.Told++
		}
	case member.Withheld:
		what := "its log"
		if e.Name != (wire.RecordName{}) {
			what = "a record of " + w.nameOf(e.Name.Author)
		}
		w.trace("%s says that %s withholds %s", name(n.ID), w.nameOf(e.Peer), what)
		switch {
		case e.Deaf:
		case w.lying == nil || e.Peer != w.lying.Key:
			w.Withheld++
		default:
			w.Blamed++
		}
	case member.Mistimed:
		w.blame(e.Peer, "%s: %s signs a wrong time: %v", name(n.ID), w.nameOf(e.Peer), e.Err)
	case member.Unrooted:
		w.unrooted[n.ID]++
		w.trace("%s does not trust the log of %s", name(n.ID), w.nameOf(e.Peer))
		switch {
		case n.invited:
			w.promise(n)
		case w.lying == nil || e.Peer != w.lying.Key:
			w.broke("%s does not trust the log of %s", name(n.ID), w.nameOf(e.Peer))
		}
	case member.Removed:
		w.dismiss(n)
		w.trace("%s learns that it is no member any more", name(n.ID))
	case member.Expelled:
		w.trace("%s is shown that it was kicked", name(n.ID))
		w.After(3*time.Second, func() { w.Crash(n, false); n.gone = true })
	case member.Moved:
		w.trace("%s: %d records moved", name(n.ID), e.Count)
	}
}

// Write lets a node write a message.
func (w *World) Write(n *Node) (wire.RecordName, bool) {
	if !n.Up || n.Paused || n.relay != nil {
		return wire.RecordName{}, false
	}
	n.written++
	m := wire.Message{Roster: n.Seat.Ledger().Fold().Version()}
	return w.publish(n, wire.KindMessage, m.Append(nil))
}

func (w *World) publish(n *Node, kind wire.Kind, payload []byte) (wire.RecordName, bool) {
	r := w.record(n.Key, n.written, kind, payload)
	ok := n.Seat.Write(w.clock(n), r) > 0
	w.act(n)
	return r.Name(), ok
}
