package seat

import (
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/hub"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Config is what a seat is made with.
type Config struct {
	Charter  *wire.Charter
	Signer   protocols.Signer
	Verifier wire.Verifier
	Prover   wire.Prover
	Root     *member.Root  // of one who joins: what its invite says of the log; nil once that was seen
	Lister   protocols.Key // of a relay that is no member: the admin that listed it; zero: a member's seat
	Limits   hub.Limits
}

// Send asks for a frame to be sent to a member.
type Send struct {
	To    protocols.Key
	Frame wire.Frame
}

// Ready is what the seat wants done, and Save first.
type Ready struct {
	Save   Save
	Send   []Send
	Topic  []wire.Frame     // to the group's topic
	Record []member.Event   // of records
	Hub    []failover.Event // of hubs
}

// Seat is one node in one group. It is not safe for concurrent use.
type Seat struct {
	cfg      Config
	group    wire.GroupID
	self     protocols.Key
	ledger   *ledger.Ledger
	failover *failover.Machine
	member   *member.Member
	hub      *hub.Hub // nil: another node is
	branch   *failover.Branch
	shown    wire.Seq // up to where the hub's own log was told of
	topic    topic
	sweep    sweep
	away     away
	moving   moving
	bringing bringing
	known    known
	newcomer protocols.Key // a hub that showed that it is of the group; the log here does not know it
	offers   offers
	settled  bool // has seen the log up to where its hub was: a relay begins with nothing
	retell   bool // failover is to be told who is a member
	rehubbed bool // what failover must find again has changed
	out      bool // it was told that this node is in the group no more
	ready    Ready
}

// New makes a seat, at the branch that the node followed last, or was told of.
// restart says that it sat here before.
func New(now time.Time, cfg Config, d Disk, restart bool) (*Seat, error) {
	s := &Seat{cfg: cfg, group: cfg.Charter.Group(), self: cfg.Signer.Public(), ledger: ledger.New(cfg.Verifier, cfg.Charter)}
	if err := d.load(s.ledger); err != nil {
		return nil, err
	}
	s.rehubbed, s.settled = !restart, restart || cfg.Lister == protocols.Key{}
	s.failover = failover.New(now, failover.Config{
		Group: s.group, Charter: cfg.Charter, Signer: cfg.Signer, Log: s.ledger.Log().End, Committed: s.committed, Standing: s.standing,
	}, d.Failover, restart)
	s.branch = s.failover.Current()
	s.member = member.New(now, member.Config{
		Group: s.group, Self: s.self, Signer: cfg.Signer, Verifier: cfg.Verifier, Prover: cfg.Prover, Ledger: s.ledger, Beat: s.beat(), Root: cfg.Root, Lister: cfg.Lister,
	}, s.hubOf(s.branch))
	s.member.Restore(now, d.Kept, !restart)
	s.later(now)
	s.sweep.next = now.Add(sweepEvery)
	s.lead(now)
	s.settle(now)
	return s, nil
}

// Ledger returns the log and what follows from it, to be read.
func (s *Seat) Ledger() *ledger.Ledger { return s.ledger }

// Branch returns the hub record that the node follows.
func (s *Seat) Branch() *failover.Branch { return s.failover.Current() }

// Leads says whether the node is hub.
func (s *Seat) Leads() bool { return s.failover.Leads() }

// Heard is when the hub was heard last, zero for not in its term.
func (s *Seat) Heard() time.Time { return s.failover.Heard() }

// Open says whether the node is a hub that accepts records.
func (s *Seat) Open() bool { return s.failover.Open() }

func (s *Seat) beat() time.Duration {
	return time.Duration(s.ledger.Fold().Settings().Beat) * time.Millisecond
}

func (s *Seat) committed() wire.Seq {
	if s.hub != nil {
		return s.hub.Committed()
	}
	return s.ledger.Log().Seq()
}

func (s *Seat) hubOf(b *failover.Branch) member.Hub {
	return member.Hub{Term: b.Term(), Primary: b.Primary(), Shadow: b.Record.Shadow, Leads: b.Primary() == s.self}
}

// lead begins or ends this node's time as hub.
func (s *Seat) lead(now time.Time) {
	b := s.failover.Current()
	if s.hub != nil { // what was not accepted is offered to the next hub
		s.show(now, s.ledger.Log().Seq())
		s.member.Led(s.hub.Head())
	}
	if !s.failover.Leads() {
		s.hub = nil
		return
	}
	s.hub = hub.New(hub.Config{
		Group: s.group, Charter: s.cfg.Charter.Bytes(), Signer: s.cfg.Signer, Verifier: s.cfg.Verifier, Ledger: s.ledger, Term: b.Term(), Beat: s.beat(), Limits: s.cfg.Limits,
	})
	s.shown, s.offers = s.ledger.Log().Seq(), nil
}

// Ready hands over what the inputs since the last call led to.
func (s *Seat) Ready(now time.Time) Ready {
	if s.hub != nil {
		s.hub.Feed(now)
	}
	s.settle(now)
	r := s.ready
	s.ready = Ready{}
	r.Save = s.save()
	return r
}

// Acknowledge is what tells the hub how far the log goes, and authors that what they
// wrote is here: to be called when it is known which keys are missing for what Ready
// told of, and to be sent when that is saved.
func (s *Seat) Acknowledge(now time.Time) []Send {
	if f := s.member.Acknowledge(now); f != nil {
		return []Send{{To: s.branch.Primary(), Frame: f}}
	}
	return nil
}

// Deadline is when Tick wants to be called next.
func (s *Seat) Deadline() time.Time {
	at := s.failover.Deadline()
	if s.hub != nil {
		if h := s.hub.Deadline(); !h.IsZero() && h.Before(at) {
			at = h
		}
	}
	if m := s.member.Deadline(); !m.IsZero() && m.Before(at) {
		at = m
	}
	if s.moving.to != (protocols.Key{}) && s.moving.due().Before(at) {
		at = s.moving.due()
	}
	if s.sweep.next.Before(at) {
		at = s.sweep.next
	}
	return at
}

// Tick does what has become due.
func (s *Seat) Tick(now time.Time) {
	s.failover.Tick(now)
	s.settle(now)
	s.member.Heard(s.failover.Heard())
	s.member.Tick(now)
	s.speak(now)
	s.watchHub(now)
	s.nameHubAgain(now)
	s.offerAgain(now)
	s.sweepUp(now)
	s.settle(now)
}

// Write publishes records of this node's own, as many as there is room for, and
// says how many.
func (s *Seat) Write(now time.Time, records ...*wire.Record) int {
	for _, r := range records {
		s.kickHub(now, r)
	}
	n := s.member.Write(now, records...)
	s.settle(now)
	return n
}

// Unanswered returns how many records of this node's are published and stand in no
// log yet.
func (s *Seat) Unanswered() int { return s.member.Unanswered() }

// Read says up to where a person has read.
func (s *Seat) Read(now time.Time, seq wire.Seq) {
	s.member.Read(now, seq)
	s.settle(now)
}

// Waits says whether the key of the record at a seq is missing.
func (s *Seat) Waits(now time.Time, seq wire.Seq, waits bool) {
	s.member.Waits(now, seq, waits)
	s.settle(now)
}

// End returns the seq up to which the log stands. What the hub on this node has put
// behind it is not accepted yet, and may come to stand elsewhere.
func (s *Seat) End() wire.Seq {
	if s.hub != nil {
		return s.shown
	}
	return s.ledger.Log().Seq()
}

// Standing returns who has the record at a seq, as far as this node, its author,
// was told.
func (s *Seat) Standing(seq wire.Seq) member.Standing { return s.member.Standing(seq) }

// AskReceipts asks the hub who has what.
func (s *Seat) AskReceipts(now time.Time) {
	if s.hub != nil {
		s.hub.AskReceipts(now, s.self)
	} else {
		s.member.AskReceipts()
	}
	s.settle(now)
}

// Head returns the newest head that the log is under, nil for none.
func (s *Seat) Head() []byte {
	if s.hub != nil {
		return s.hub.Head()
	}
	if h := s.member.Head(); h != nil {
		return h.Bytes()
	}
	return nil
}

// Receipt returns a member's newest receipt of this very log, nil for none.
func (s *Seat) Receipt(of protocols.Key) *wire.Receipt { return s.member.Receipt(of) }

// Has says whether a member has opened the record at a seq, as far as this node was told.
func (s *Seat) Has(of protocols.Key, seq wire.Seq) bool { return s.member.Has(of, seq) }

// Promise says anew what the log is to one who joins.
func (s *Seat) Promise(now time.Time, r member.Root) {
	s.member.Promise(r)
	s.settle(now)
}

// Resign hands the hub over before a clean stop; false if it cannot be.
func (s *Seat) Resign(now time.Time) bool {
	ok := s.failover.Resign(now)
	s.settle(now)
	return ok
}

// settle lets the machines take each other's outcome until nothing is left.
func (s *Seat) settle(now time.Time) {
	for range 8 {
		s.roster(now)
		s.failover.LogGrew(now)
		again := s.takeFailover(now)
		s.stepHub(now)
		again = s.takeMember(now) || again
		if !again {
			break
		}
	}
}

func (s *Seat) takeFailover(now time.Time) (again bool) {
	r := s.failover.Ready()
	s.rehubbed = s.rehubbed || r.Save
	for _, x := range r.Send {
		s.ready.Send = append(s.ready.Send, Send(x))
	}
	s.ready.Hub = append(s.ready.Hub, r.Events...)
	if b := s.failover.Current(); b != s.branch {
		s.follow(now, b)
		again = true
	}
	return again
}

func (s *Seat) follow(now time.Time, b *failover.Branch) {
	old := s.branch
	s.branch = b
	chain := old.Primary() == s.self || old.Record.Shadow == s.self
	if b.Term() != old.Term() {
		s.lead(now)
		chain = chain || b.Primary() == s.self
	}
	s.member.Follow(now, s.hubOf(b), chain)
}

// stepHub gives the hub on this node the view of failover.
func (s *Seat) stepHub(now time.Time) {
	if s.hub == nil {
		return
	}
	s.hub.Clock(now)
	s.hub.Step(now, hub.View{Open: s.failover.Open(), Shadow: s.branch.Record.Shadow, Silent: s.failover.ShadowSilent(now)})
	if t := s.hub.Oldest(); !t.IsZero() && now.Sub(t) > s.beat()*22/10 {
		s.failover.ShadowSlow(now)
	}
	r := s.hub.Ready()
	for _, x := range r.Send {
		s.turned(x.To, x.Frame)
		s.ready.Send = append(s.ready.Send, Send(x))
	}
	for _, a := range r.Accepted {
		s.member.OwnAccepted(a.Name, a.Place, a.Replicas)
	}
	_ = s.member.OnReceipts(r.Receipts) // a forged one counts for nothing: its member is told by no error
	for _, x := range r.Busy {
		s.member.OnBusy(now, x)
	}
	for _, x := range r.Refused {
		s.member.OwnRefused(x.Name, x.Reason, x.Value)
	}
	s.show(now, s.hub.Committed())
}

// show tells of what the hub on this node put into order, up to a seq.
func (s *Seat) show(now time.Time, to wire.Seq) {
	for s.shown < to {
		s.shown++
		s.member.Sequenced(now, s.shown)
	}
}

func (s *Seat) takeMember(now time.Time) (again bool) {
	r := s.member.Ready()
	for _, x := range r.Send {
		s.ready.Send = append(s.ready.Send, Send(x))
		if _, ok := x.Frame.(*wire.Publish); ok && x.To == s.branch.Primary() {
			s.failover.Spoke(now)
		}
	}
	if len(r.Offer) > 0 && s.hub != nil {
		s.hub.Publish(now, s.self, r.Offer)
		again = true
	}
	if r.Receipt != nil && s.hub != nil {
		_ = s.hub.Receipts(s.self, [][]byte{r.Receipt}) // its own
		again = true
	}
	if r.Attach {
		s.failover.Attach(now)
		again = true
	}
	for _, e := range r.Events {
		switch e.Kind {
		case member.Forked:
			s.forked(now, e.Proof)
			again = true
		case member.Rooted:
			s.retell, again = true, true
		}
	}
	if s.ready.Record == nil {
		s.ready.Record = r.Events
	} else {
		s.ready.Record = append(s.ready.Record, r.Events...)
	}
	return again
}

func (s *Seat) send(to protocols.Key, f wire.Frame) {
	s.ready.Send = append(s.ready.Send, Send{To: to, Frame: f})
}

// forked ends the term of a hub that signed two logs.
func (s *Seat) forked(now time.Time, p *wire.Equivocation) {
	_, who, ok := p.Proves(s.cfg.Verifier)
	if !ok {
		return
	}
	s.failover.OnEquivocation(now, who)
	for k := range s.ledger.Fold().Hearers() {
		if k != s.self {
			s.send(k, p)
		}
	}
}

// Holds says whether the node has a record, in its log or to bring it back.
func (s *Seat) Holds(n wire.RecordName) bool {
	_, ok := s.ledger.Log().Find(n)
	return ok || s.member.Holds(n)
}

// Why says in a few words why a hub accepts nothing; empty if it does.
func (s *Seat) Why() string { return s.failover.Why() }
