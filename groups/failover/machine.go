package failover

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Waits, in tenths of the interval between two beats to the shadow.
const (
	missTenths      = 12  // one miss, and "the timeout"
	missTwoTenths   = 22  // two: the shadow claims
	candidateTenths = 37  // the candidate claims
	orphanTenths    = 74  // another member claims, by rank and after it asked
	staggerTenths   = 5   // and so much later than the one before it in rank
	lastTenths      = 400 // when all others had their time to claim
	doubtTenths     = 5   // how long what a member writes may stay without an answer before it asks
	askTenths       = 4   // how long one that is asked has
	witnessTenths   = 3   // how long witnesses have
	reportTenths    = 20  // between two reports
	upkeepTenths    = 6   // from following to naming a chain
	excludeTenths   = 100
	slowTenths      = 300 // how long one that did not acknowledge is not named
	echoTenths      = 40  // how old the beat may be that one to be named echoes
	forgetTenths    = 30  // how long a question to the primary is kept for the asker
	membersEvery    = 10  // beats to other members, in intervals
	busyTenths      = 3   // beats to shadow and candidate while records come
)

// longestTick is how often what is in doubt is looked at, at least.
const longestTick = 100 * time.Millisecond

// shortestTick is how often shadow and candidate look when they are about to act.
const shortestTick = 15 * time.Millisecond

// slowPath is how late all frames of a node may come without its being gone: no
// claim is followed before the next beat was due for so long.
const slowPath = 1050 * time.Millisecond

// sentAgain is how much later yet a beat may come: what carried it was lost, and sent
// again, perhaps more than once. In a busy group, where a hub is missed sooner, it is
// once.
const (
	sentAgain     = 450 * time.Millisecond
	sentAgainBusy = 100 * time.Millisecond
)

// busyFor is how long a hub that put records in order beats faster than else, and
// busyTrust how long those who heard of it rely on that: less, for they heard later.
const (
	busyFor   = 3 * time.Second
	busyTrust = 1500 * time.Millisecond
)

// Bounds of the machine.
const (
	maxWitnesses = 3
	maxAskers    = 8
	maxProbes    = 3
	sentBeats    = 64 // whose time is remembered
)

// Config is what a machine is made with.
type Config struct {
	Group     wire.GroupID
	Charter   *wire.Charter
	Signer    protocols.Signer
	Log       func() (wire.Place, wire.LogHash) // the node's log's end
	Committed func() wire.Seq                   // up to where a hub's log is accepted
	Standing  Standing
}

// Durable is what must be on disk before effects are carried out.
type Durable struct {
	Current   *Branch
	Previous  *Branch                     // what this node followed before
	Withdrawn map[wire.HubHash]*Retreat   // its claims that it took back
	Condemned map[protocols.Key]time.Time // for equivocation, until
	Displaced map[protocols.Key]time.Time // hub only where nobody else is left, until
}

// Retreat is a claim that was taken back.
type Retreat struct {
	Withdrawal []byte
	Back       *Branch
}

// maxWithdrawn is how many are remembered.
const maxWithdrawn = 64

// Send asks for a frame to be sent. A frame to a peer that cannot be reached is
// dropped.
type Send struct {
	To    protocols.Key
	Frame wire.Frame
}

// EventKind is what happened.
type EventKind uint8

// What may happen.
const (
	Followed    EventKind = iota // another record is followed; Branch
	Claimed                      // this node opened a term; Branch
	Withdrew                     // this node took its claim back; Branch
	Merged                       // this node joined two branches; Branch
	SteppedDown                  // this node is no hub any more; Branch is what it follows
	Named                        // this node, as hub, changed its chain; Branch
	Equivocated                  // Peer signed what it must not have; Branch is nil
	Disbelieved                  // Peer claims to be hub, without right or while the hub is well; Branch is the claim
	Displaced                    // an admin took the group away from Peer; Branch is what the admin opened
)

var eventNames = [...]string{"follows", "claims", "withdraws", "merges", "steps down", "names", "equivocated", "is not believed", "is displaced"}

// String returns the kind in a word or two.
func (k EventKind) String() string { return eventNames[k] }

// Event is something that an operator or the other machines want to know.
type Event struct {
	Kind   EventKind
	Branch *Branch
	Peer   protocols.Key
	// Reported says of a claim that it came before the second miss, by a member's
	// report.
	Reported bool
}

// Ready is what the machine wants done. What is in Durable is saved first.
type Ready struct {
	Save   bool // Durable has changed
	Send   []Send
	Events []Event
}

// peer is what is known of another node in the present term.
type peer struct {
	excluded time.Time    // until when it is not named: it failed in the chain; survives terms
	attach   *wire.Attach // its newest to this hub
	heard    time.Time
	echo     time.Time // when the newest beat was sent that it echoed
	reported time.Time
	report   []byte
	probed   time.Time
}

// Machine decides for one node in one group. It is not safe for concurrent use:
// one goroutine gives it input and comes back at its Deadline.
type Machine struct {
	cfg      Config
	self     protocols.Key
	beat     time.Duration
	members  []protocols.Key        // by seniority
	enrolled map[protocols.Key]bool // the same
	relays   []protocols.Key        // that are no members, and may be hub
	admins   map[protocols.Key]bool
	kicked   []protocols.Key
	partial  bool // there are members that are not known here
	d        Durable
	ready    Ready
	due      time.Time // the deadline that was asked for
	watch    watch
	lead     lead
	peers    map[protocols.Key]*peer
	followed time.Time
	naming   *naming // the newest, before its log has come
}

// naming is a draft that names this node, and the signature that it came with.
type naming struct {
	draft *wire.HubRecord
	admin []byte
}

// New makes the machine of a node that follows a branch. restart says that it
// did before too: then a primary distrusts itself.
func New(now time.Time, cfg Config, d Durable, restart bool) *Machine {
	m := &Machine{
		cfg: cfg, self: cfg.Signer.Public(), d: d, beat: time.Duration(wire.DefaultBeat) * time.Millisecond,
		enrolled: make(map[protocols.Key]bool), admins: make(map[protocols.Key]bool),
	}
	if m.d.Withdrawn == nil {
		m.d.Withdrawn = make(map[wire.HubHash]*Retreat)
	}
	if m.d.Condemned == nil {
		m.d.Condemned = make(map[protocols.Key]time.Time)
	}
	if m.d.Displaced == nil {
		m.d.Displaced = make(map[protocols.Key]time.Time)
	}
	m.lead.counter = wire.Counter(now.UnixMilli()) // beyond those of before a restart
	m.reset(now)
	if restart {
		m.lead.fence = now.Add(m.tenths(missTenths))
	}
	m.schedule(now)
	return m
}

// Roster is who is in the group, as failover needs it.
type Roster struct {
	Beat    time.Duration
	Members []protocols.Key // by seniority
	Admins  []protocols.Key
	Kicked  []protocols.Key
	Relays  []protocols.Key // that are no members, and may be hub
	Partial bool            // there are others: this node has not seen the log yet
}

// Members says who is in the group now.
func (m *Machine) Members(now time.Time, r Roster) {
	m.beat = r.Beat
	m.enrol(slices.Clone(r.Members))
	clear(m.admins)
	for _, k := range r.Admins {
		m.admins[k] = true
	}
	for _, k := range m.kicked {
		if m.member(k) { // again
			m.displace(now, k)
		}
	}
	m.kicked, m.relays, m.partial = slices.Clone(r.Kicked), slices.Clone(r.Relays), r.Partial
	for k := range m.peers {
		if !m.hears(k) {
			delete(m.peers, k)
		}
	}
	m.pardon(func(k protocols.Key, _ time.Time) bool { return !m.partial && !m.hears(k) })
	m.schedule(now)
}

// enrol notes the members. Who has joined stands behind those that were there.
func (m *Machine) enrol(list []protocols.Key) {
	came := list
	if n := len(m.members); n <= len(list) && slices.Equal(m.members, list[:n]) {
		came = list[n:]
	} else {
		clear(m.enrolled)
	}
	for _, k := range came {
		m.enrolled[k] = true
	}
	m.members = list
}

// First opens a group's first term: its creator's.
func First(s protocols.Signer, c *wire.Charter, v wire.Verifier) (*Branch, error) {
	h := wire.HubRecord{
		Group: c.Group(), Number: 1, Version: 1, Links: []wire.HubHash{c.Hash()}, Cause: wire.CauseFirst, Log: c.Hash(),
	}
	r, err := wire.ParseHubRecord(v, h.Sign(s, nil))
	if err != nil {
		return nil, err
	}
	return &Branch{Record: r, Opened: r}, nil
}

func (m *Machine) tenths(n int) time.Duration { return m.beat * time.Duration(n) / 10 }

// reset forgets what belongs to one term.
func (m *Machine) reset(now time.Time) {
	old := m.peers
	m.peers = make(map[protocols.Key]*peer)
	for k, p := range old {
		if p.excluded.After(now) {
			m.peers[k] = &peer{excluded: p.excluded}
		}
	}
	m.watch = watch{life: now, heardBeat: now, jitter: m.watch.jitter}
	m.lead = lead{counter: m.lead.counter}
	m.followed = now
}

func (m *Machine) peer(k protocols.Key) *peer {
	p := m.peers[k]
	if p == nil {
		p = new(peer)
		if m.hears(k) {
			m.peers[k] = p
		}
	}
	return p
}

// Current returns the branch this node follows.
func (m *Machine) Current() *Branch { return m.d.Current }

// Since is when this node began to follow its hub.
func (m *Machine) Since() time.Time { return m.followed }

// Durable returns what has to be on disk.
func (m *Machine) Durable() Durable { return m.d }

// Leads says whether this node is the hub of the record it follows.
func (m *Machine) Leads() bool { return m.d.Current.Primary() == m.self }

// Open says whether this node, as hub, may put records into order now: it leads,
// has no reason to distrust itself, and is not a claimant without followers.
func (m *Machine) Open() bool {
	return m.Leads() && m.lead.fence.IsZero() && (!m.lead.claim || m.followers() > 0)
}

// ShadowSilent says whether the hub's shadow has not been heard for two misses,
// or whether there is none: then records are accepted with one replica.
func (m *Machine) ShadowSilent(now time.Time) bool {
	s := m.d.Current.Record.Shadow
	return s == (protocols.Key{}) || m.quiet(now, s)
}

// Attached says whether a node has attached to this hub.
func (m *Machine) Attached(k protocols.Key) bool {
	p := m.peers[k]
	return p != nil && p.attach != nil
}

// Present says whether a node that attached to this hub was heard of late.
func (m *Machine) Present(now time.Time, k protocols.Key) bool {
	return m.Attached(k) && now.Sub(m.peers[k].heard) <= m.beat*membersEvery*3
}

// Ready hands over what the inputs since the last call led to.
func (m *Machine) Ready() Ready {
	r := m.ready
	m.ready = Ready{}
	return r
}

func (m *Machine) send(to protocols.Key, f wire.Frame) {
	if to == m.self || to == (protocols.Key{}) {
		return
	}
	m.ready.Send = append(m.ready.Send, Send{To: to, Frame: f})
}

func (m *Machine) toAll(f wire.Frame) {
	for _, k := range slices.Concat(m.members, m.relays) {
		m.send(k, f)
	}
}

func (m *Machine) event(k EventKind, b *Branch) {
	m.ready.Events = append(m.ready.Events, Event{Kind: k, Branch: b, Peer: b.Primary()})
}

// Deadline is when Tick wants to be called next.
func (m *Machine) Deadline() time.Time { return m.due }

// Tick does what has become due.
func (m *Machine) Tick(now time.Time) {
	m.checkLate(now)
	if m.Leads() {
		m.leadTick(now)
	} else {
		m.watchTick(now)
	}
	m.schedule(now)
}

// schedule sets the deadline: the next thing due, or a fraction of an interval
// while anything is in doubt.
func (m *Machine) schedule(now time.Time) {
	soon := now.Add(min(m.tenths(1), longestTick))
	switch {
	case m.Leads() && (!m.lead.fence.IsZero() || m.lead.foreign != nil || m.lead.claim || now.Sub(m.followed) < m.tenths(missTwoTenths)):
		m.due = soon
	case m.Leads():
		m.due = m.lead.next
		if m.due.After(soon) {
			m.due = soon.Add(m.tenths(2))
		}
	case m.named() && m.watch.asked.After(m.watch.life): // it may have to claim, or to follow at once
		m.due = now.Add(min(m.tenths(1), shortestTick))
	case m.watch.pending != nil || !m.watch.asked.IsZero() || len(m.watch.askers) > 0:
		m.due = soon
	default:
		m.due = m.watch.life.Add(m.firstMiss())
		if m.watch.nextAttach.Before(m.due) {
			m.due = m.watch.nextAttach
		}
		if doubt := m.watch.spoke.Add(m.doubtAfter()); m.watch.spoke.After(m.watch.life) && doubt.Before(m.due) {
			m.due = doubt
		}
		if m.due.Before(now) {
			m.due = soon
		}
	}
}

// checkLate notices that this node stood still: then what it did not hear says
// nothing about others, and as hub it may have been replaced.
func (m *Machine) checkLate(now time.Time) {
	if m.due.IsZero() || now.Sub(m.due) <= m.tenths(missTenths) {
		return
	}
	m.watch.life, m.watch.asked, m.watch.witness, m.watch.pending = now, time.Time{}, time.Time{}, nil
	m.watch.silence = time.Time{}
	for _, p := range m.peers {
		p.reported, p.report = time.Time{}, nil
	}
	if m.Leads() {
		m.doubt(now)
		m.beatAll(now)
		for _, p := range m.peers {
			if p.attach != nil {
				p.heard = now
			}
		}
	}
	m.due = now
}
