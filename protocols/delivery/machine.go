package delivery

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Timing of the machine. Every wait that repeats doubles, within its bounds,
// and is spread by a quarter either way.
const (
	prekeyWait   = 3 * time.Second         // how long sealing waits for a prekey before it falls back to the identity key
	receiptWait  = 250 * time.Millisecond  // the same for what carries receipts
	lookUpGap    = 30 * time.Second        // between two searches for one peer's prekeys
	firstAnswer  = 1500 * time.Millisecond // silence on an open connection before it is probed, at least
	firstReceipt = 10 * time.Second        // from "taken" to the next try, if no receipt came
	maxRetry     = 5 * time.Minute         // no wait between two tries is longer
	firstDial    = 500 * time.Millisecond  // between the first two dials
	doubtRetry   = time.Minute             // between two looks at a clock that is in doubt
	saveDelay    = 500 * time.Millisecond  // how long a state that is not final may wait for the disk
)

// Bounds of the machine.
const (
	windowMessages = 2048    // sent on one connection and not yet answered
	windowBytes    = 4 << 20 // same, in bytes
	maxAttempts    = 32      // kept per message, the newest
	maxReseals     = 3       // successors of one message
)

// Message is one accepted message, as the machine is told of it.
type Message struct {
	Letter
	Size           int // bytes of the encoded envelope, or about
	Sealed         bool
	ForwardSecret  bool
	DemandsSecrecy bool // never to be sealed to the identity key
	Reseals        int  // how many predecessors could not be opened
	ByRelays       bool // the recipient was heard of through relays, so they need not wait for a dial
	Attempts       []Attempt
	Kept           []protocols.Key // who held it when the process last ran
}

// Report is how a message stands, for the disk and for whoever asks.
type Report struct {
	Message
	At        time.Time // when it came to its state
	Path      string
	Reason    string
	Successor envelope.ID // the message its content was sealed into anew, zero if none
	Receipt   uint64      // the caller's reference to the receipt that made it final
	Next      time.Time   // when the next try is due, zero if it waits for something else
	Holders   []Holder    // who has signed for keeping it; none once it is final
}

// Ready is what the machine wants done. The caller saves before it sends.
type Ready struct {
	Save     []Report          // states for the disk; final ones leave the machine with it
	Seal     []SealRequest     // messages to seal and to report with Sealed
	Reseal   []envelope.ID     // messages to seal into successors, reported with Succeeded
	Transmit []Transmit        // envelopes to put on open connections
	Dial     []protocols.Key   // peers to connect to, reported with Dialed
	Probe    []protocols.Key   // connections to test, reported with Probed
	Routes   []RouteRequest    // routes to find, reported with Routes
	Judged   []Judgement       // what relays did
	LookUp   []protocols.Key   // peers whose prekeys to look for, reported with LookedUp
	Watch    []Watch           // whom a user's message waits for
	Place    []Placement       // messages for holders to keep; how they stand is told with Held
	Release  []envelope.Digest // of messages that were placed and are final
	Promised []Promise         // that relays have given for messages that are placed
}

// SealRequest asks for one message to be sealed.
type SealRequest struct {
	ID         envelope.ID
	To         protocols.Key
	ToIdentity bool // no prekey came in time: the identity key will do
}

// Watch says whether a message of a user's waits for a peer: a dead connection
// to one that is waited for should be noticed soon.
type Watch struct {
	Peer    protocols.Key
	Waiting bool
}

// Transmit names the envelopes to put on the connection to one peer, in order:
// the recipient, or the first relay of a route.
type Transmit struct {
	Peer protocols.Key
	Via  Route // nil if Peer is the recipient
	IDs  []envelope.ID
}

// Machine holds every message that is not final and decides what to do next.
// It is not safe for concurrent use: one goroutine owns it, gives it input,
// takes its Ready and comes back at its Deadline.
type Machine struct {
	rand    *rand.Rand
	timers  timers
	byID    map[envelope.ID]*tracked
	byMark  map[[16]byte]*tracked // by the short digest that hop answers name
	peers   map[protocols.Key]*peer
	relays  map[protocols.Key]*relay
	unsaved []*tracked
	saving  timer
	news    timer // armed while new routes wait to be looked at
	newsAt  time.Time
	passes  []Transmit // being gathered
	tally   Tally
	doubt   bool
	holders bool // there are such
	placed  int
	ready   Ready
}

// NewMachine makes an empty machine; the seed spreads its retries.
func NewMachine(seed uint64) *Machine {
	m := &Machine{
		rand:   rand.New(rand.NewPCG(seed, 0)),
		byID:   make(map[envelope.ID]*tracked),
		byMark: make(map[[16]byte]*tracked),
		peers:  make(map[protocols.Key]*peer),
		relays: make(map[protocols.Key]*relay),
	}
	m.saving.fire = m.saveDirty
	m.news.fire = m.tryNews
	return m
}

// Deadline is when Tick wants to be called next, zero for never.
func (m *Machine) Deadline() time.Time { return m.timers.next() }

// Tick does what has become due.
func (m *Machine) Tick(now time.Time) { m.timers.run(now) }

// Doubt says whether the time given to the machine may be wrong by hours. While
// it is in doubt, nothing expires.
func (m *Machine) Doubt(inDoubt bool) { m.doubt = inDoubt }

// Ready hands over what the inputs since the last call led to.
func (m *Machine) Ready() Ready {
	r := m.ready
	m.ready = Ready{}
	return r
}

// Accept takes in a message that is safely on disk. A message that is not yet
// sealed waits for a prekey of its recipient.
func (m *Machine) Accept(now time.Time, msg Message) {
	if _, ok := m.byID[msg.ID]; ok || msg.State.Final() {
		return
	}
	t := &tracked{Message: msg, at: now, lines: len(msg.Attempts), departed: len(msg.Attempts) > 0}
	m.byID[msg.ID] = t
	t.ending.fire = func(now time.Time) { m.expire(now, t) }
	t.retry.fire = func(now time.Time) { m.again(now, t) }
	m.timers.arm(&t.ending, msg.End)
	p := m.peer(msg.To)
	p.tracked++
	m.await(p, &msg)
	p.welcome(now, &msg)
	if !msg.Sealed {
		p.unsealed.pushBack(t)
		if !msg.DemandsSecrecy {
			m.timers.arm(&t.retry, now.Add(msg.patience()))
		}
		m.reach(now, p)
		m.lookUp(now, p)
		return
	}
	m.byMark[msg.Digest.Short()] = t
	p.ready.pushBack(t)
	m.shelve(now, p, t)
	m.pump(now, p)
}

// patience is how long the message waits for a prekey. Receipts do not wait for
// long: they are waited for themselves, and tell little.
func (msg *Message) patience() time.Duration {
	if msg.Control {
		return receiptWait
	}
	return prekeyWait
}

// welcome lets a new message look for a path itself, though the ladder rests.
func (p *peer) welcome(now time.Time, msg *Message) {
	if msg.ByRelays {
		p.reachedAt, p.headStart, p.none = now, time.Time{}, false
	}
	if msg.Control {
		return
	}
	if soon := later(now, p.endedAt.Add(freshRound)); soon.Before(p.from) {
		p.from = soon
	}
}

// lookUp has the peer's prekeys looked for while messages wait for them.
func (m *Machine) lookUp(now time.Time, p *peer) {
	if p.unsealed.first == nil || p.lookingUp || now.Before(p.lookedUpAt.Add(lookUpGap)) {
		return
	}
	p.lookingUp, p.lookedUpAt = true, now
	m.ready.LookUp = append(m.ready.LookUp, p.key)
}

// LookedUp says that the search for a peer's prekeys has ended. What it found
// is told with PrekeysKnown.
func (m *Machine) LookedUp(_ time.Time, k protocols.Key) {
	if p, ok := m.peers[k]; ok {
		p.lookingUp = false
		m.forgetIdle(p)
	}
}

// PrekeysKnown says that a prekey record of the peer is at hand.
func (m *Machine) PrekeysKnown(_ time.Time, k protocols.Key) {
	p, ok := m.peers[k]
	if !ok {
		return
	}
	for p.unsealed.first != nil {
		m.seal(p.unsealed.first, false)
	}
}

// Sealed says that a message's envelope is on disk.
func (m *Machine) Sealed(now time.Time, id envelope.ID, d envelope.Digest, size int, forwardSecret bool) {
	t, ok := m.byID[id]
	if !ok || t.Sealed {
		return
	}
	t.remove()
	t.tries, t.reason = 0, ""
	t.Sealed, t.Digest, t.Size, t.ForwardSecret = true, d, size, forwardSecret
	m.byMark[d.Short()] = t
	p := m.peer(t.To)
	p.ready.pushBack(t)
	m.shelve(now, p, t)
	m.pump(now, p)
}

// SealFailed says that a message could not be sealed now; the machine asks
// again a little later, and then ever more rarely.
func (m *Machine) SealFailed(now time.Time, id envelope.ID, reason string) {
	t, ok := m.byID[id]
	if !ok || t.Sealed || t.in != nil {
		return
	}
	t.reason = reason
	t.tries++
	m.peer(t.To).unsealed.pushBack(t)
	m.timers.arm(&t.retry, now.Add(m.backoff(t.tries, prekeyWait)))
}

// Written says that the envelope's bytes have left over its connection.
func (m *Machine) Written(now time.Time, id envelope.ID) {
	t, ok := m.byID[id]
	if !ok {
		return
	}
	t.sentAt = now
	m.left(now, t)
}

// left notes that a message has left this node, by whatever path.
func (m *Machine) left(now time.Time, t *tracked) {
	if t.State < Sent {
		t.State, t.at = Sent, now
		m.changed(now, t)
	}
}

// Unsent says that an envelope could not be put on the connection to its peer,
// though the machine thought it could.
func (m *Machine) Unsent(now time.Time, k protocols.Key, id envelope.ID) {
	t, ok := m.byID[id]
	if !ok || t.in == nil {
		return
	}
	p := m.peer(k)
	if t.in != &p.flight {
		return
	}
	t.remove()
	t.unsent()
	p.ready.pushBack(t)
	m.hold(now, p, unsentHold)
}

// Unfit says that an envelope is more than the relay of the connection to its
// peer will let through. It goes another way, or waits for another connection.
func (m *Machine) Unfit(now time.Time, k protocols.Key, id envelope.ID) {
	t, ok := m.byID[id]
	if !ok || t.in == nil {
		return
	}
	p := m.peer(k)
	if t.in != &p.flight {
		return
	}
	t.remove()
	t.result(ErrLimit.Error())
	t.line, t.reason = 0, "the connection goes through a relay, and "+ErrLimit.Error()
	p.unfit.pushBack(t)
	p.none = false
	m.pump(now, p)
}

// Unreadable says that an envelope could not be read from the disk; it is tried
// again after a pause.
func (m *Machine) Unreadable(now time.Time, id envelope.ID, reason string) {
	t, ok := m.byID[id]
	if !ok {
		return
	}
	p := m.peer(t.To)
	t.remove()
	p.shutAll(t)
	if t.passage != nil {
		t.passage.taken = nil
	}
	p.waiting.pushBack(t)
	t.reason = reason
	t.note(t.lines, reason)
	m.timers.arm(&t.retry, now.Add(m.backoff(t.tries, firstReceipt)))
}

// Answered takes a hop answer that came from the peer.
func (m *Machine) Answered(now time.Time, k protocols.Key, a envelope.Answer) {
	t, ok := m.byMark[a.Digest]
	switch {
	case !ok:
	case t.To != k:
		m.passed(now, k, t, a)
	case !t.sentAt.IsZero():
		m.answered(now, m.peer(k), t, a)
	}
}

// answered takes the hop answer of the recipient itself.
func (m *Machine) answered(now time.Time, p *peer, t *tracked, a envelope.Answer) {
	p.answered(now, t)
	switch t.in {
	case &p.flight:
		t.remove()
		p.waiting.pushBack(t)
	case &p.ready, &p.passing, &p.spent: // it was given up too early
		if a.Code == envelope.Taken && p.up {
			t.remove()
			p.waiting.pushBack(t)
		}
	}
	m.judgeAnswer(now, p, t, a)
	m.pump(now, p)
}

// Receipt takes a receipt whose signature is verified and returns the indices
// of the entries it knows nothing of. It calls keep, once, if the receipt is
// worth keeping, for a reference that goes into the reports.
func (m *Machine) Receipt(now time.Time, r *ack.Receipt, keep func() uint64) (unknown []int) {
	keep = sync.OnceValue(keep)
	news, direct := false, false
	for i := range r.Entries {
		t, ok := m.byID[r.Entries[i].ID]
		if !ok {
			unknown = append(unknown, i)
			continue
		}
		verdict := Judge(t.Letter, r, i)
		if verdict != Ignore {
			news, direct = true, direct || t.passage == nil
			m.signed(now, t)
		}
		switch verdict {
		case Deliver:
			m.finish(now, t, Delivered, keep())
		case MarkRead:
			m.finish(now, t, Read, keep())
		case Reseal:
			m.unopenable(now, t)
		}
	}
	if p, ok := m.peers[r.From]; ok && news { // an old receipt may come from anybody
		if p.lastReceipt = now; direct {
			p.lastAnswer, p.fruitful = now, true
		}
		m.pump(now, p)
	}
	return unknown
}

// signed notes that the recipient has signed for a message.
func (m *Machine) signed(now time.Time, t *tracked) {
	p := m.peers[t.To]
	if t.passage != nil {
		m.receiptVia(now, p, t)
		return
	}
	if t.in == &p.flight { // it outran the hop answer
		p.answered(now, t)
	}
	p.receiptedTo = max(p.receiptedTo, t.order)
	if took := now.Sub(t.sentAt); took >= 0 {
		p.receiptTrip = smooth(p.receiptTrip, took)
	}
}

// Succeeded says that the content of a message lives on in a successor, which
// the caller gives to Accept by itself.
func (m *Machine) Succeeded(now time.Time, id, successor envelope.ID) {
	t, ok := m.byID[id]
	if !ok {
		return
	}
	t.State, t.at, t.reason, t.successor = Failed, now, "the recipient could not open it; sealed anew", successor
	m.drop(t)
	m.ready.Save = append(m.ready.Save, t.report())
}

// Report tells how a message stands, if it is not final.
func (m *Machine) Report(id envelope.ID) (Report, bool) {
	t, ok := m.byID[id]
	if !ok {
		return Report{}, false
	}
	r := t.report()
	p := m.peers[t.To]
	r.Attempts = mergeAttempts(r.Attempts, p.attempts, t.Created)
	if p.inDial {
		r.Attempts = inOrder(append(r.Attempts, Attempt{At: p.dialedAt, Path: "dial", Result: "under way"}))
	}
	if r.Next.IsZero() {
		r.Next = p.nextTry(t)
	}
	return r, true
}

// Counts says how many messages wait here: not yet with anybody, and with a
// relay or holders. Messages that only carry receipts do not count.
func (m *Machine) Counts() (queued, waiting int) {
	for _, t := range m.byID {
		switch {
		case t.Control:
		case t.State == Relayed || t.State == Stored:
			waiting++
		default:
			queued++
		}
	}
	return queued, waiting
}

// changed lets the disk follow a little later.
func (m *Machine) changed(now time.Time, t *tracked) {
	if t.unsaved {
		return
	}
	t.unsaved = true
	m.unsaved = append(m.unsaved, t)
	if m.saving.index == 0 {
		m.timers.arm(&m.saving, now.Add(saveDelay))
	}
}

// saveDirty writes down the states that changed and did not become final
// meanwhile: a message delivered at once costs one write, not two.
func (m *Machine) saveDirty(time.Time) {
	for _, t := range m.unsaved {
		t.unsaved = false
		if _, live := m.byID[t.ID]; live {
			m.ready.Save = append(m.ready.Save, t.report())
		}
	}
	m.unsaved = m.unsaved[:0]
}

func (m *Machine) seal(t *tracked, toIdentity bool) {
	t.remove()
	m.timers.stop(&t.retry)
	m.ready.Seal = append(m.ready.Seal, SealRequest{ID: t.ID, To: t.To, ToIdentity: toIdentity})
}

func (m *Machine) finish(now time.Time, t *tracked, s State, ref uint64) {
	t.note(t.lines, "receipt")
	t.State, t.at, t.receipt, t.reason = s, now, ref, ""
	m.drop(t)
	m.ready.Save = append(m.ready.Save, t.report())
}

func (m *Machine) fail(now time.Time, t *tracked, s State, reason string) {
	t.State, t.at, t.reason = s, now, reason
	m.drop(t)
	m.ready.Save = append(m.ready.Save, t.report())
}

// drop forgets a message that has become final.
func (m *Machine) drop(t *tracked) {
	t.remove()
	m.timers.stop(&t.ending)
	m.timers.stop(&t.retry)
	delete(m.byID, t.ID)
	if t.Sealed {
		delete(m.byMark, t.Digest.Short())
	}
	m.unplace(t)
	p := m.peers[t.To]
	p.shutAll(t)
	p.tracked--
	if !t.Control {
		p.awaited--
	}
	m.forgetIdle(p)
}

func (m *Machine) expire(now time.Time, t *tracked) {
	if m.doubt {
		m.timers.arm(&t.ending, now.Add(doubtRetry))
		return
	}
	if !t.Sealed && t.DemandsSecrecy {
		m.fail(now, t, Failed, "forward secrecy was demanded and no prekey of the recipient came")
		return
	}
	m.fail(now, t, Expired, "no receipt within its lifetime")
}

// unopenable seals the content once more, for the recipient has lost the key.
func (m *Machine) unopenable(now time.Time, t *tracked) {
	t.note(t.lines, "unopenable")
	if t.Reseals >= maxReseals {
		m.fail(now, t, Failed, "the recipient cannot open it, though it was sealed anew")
		return
	}
	if t.resealing {
		return
	}
	t.resealing = true
	t.remove()
	m.timers.arm(&t.retry, now.Add(firstReceipt))
	m.ready.Reseal = append(m.ready.Reseal, t.ID)
}
