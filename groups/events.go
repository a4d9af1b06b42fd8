package groups

import (
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// What happened in a group. For records with effect it is their kind: "join",
// "leave", "kick", "role", "rename", "settings", "dissolve", "snapshot".
type What string

// What may happen besides.
const (
	Messages    What = "message"      // others wrote: Count messages, the newest by Peer at Seq
	Opened      What = "opened"       // the key of Peer's message Record has come
	NeverOpened What = "unreadable"   // Peer's message Record can never be read here
	Voided      What = "void"         // this node's Record has no effect: Detail
	Refused     What = "refused"      // the hub refuses this node's Record, or none took it while it lived: Detail
	Claimed     What = "claimed"      // this node claims to be hub
	Withdrew    What = "withdrew"     // and takes that back
	NewHub      What = "hub"          // Peer is hub from now on
	NewChain    What = "chain"        // the hub Peer named another shadow or candidate
	Merged      What = "merged"       // this node, as hub, made one group of two parts
	Stepped     What = "stepped_down" // this node is hub no more
	Shifted     What = "moved"        // Count records have another place than they had
	Forked      What = "equivocation" // Peer signed what excludes each other; that is proven
	Forged      What = "forged"       // Peer sent what breaks a rule, Count times: Detail
	Clocks      What = "clocks"       // the clock of Peer, the hub, or this node's is wrong, and it is not known whose, Count times: Detail
	Deaf        What = "deaf"         // Peer, the hub, is heard, and answers nothing of what this node says, which it may not hear, Count times
	Displaced   What = "displaced"    // By, an admin, took the group away from Peer
	Disbelieved What = "disbelieved"  // Peer claimed to be hub, without right or while the hub is well, Count times
	TurnedAway  What = "turned_away"  // strangers, the last Peer, were refused or not heard by this node, the hub, Count times: Detail
	Removed     What = "removed"      // this node is no member any more
	InviteCame  What = "invited"      // Peer invites this node
	Declined    What = "declined"     // Peer, a relay that the settings list, does not serve the group: Detail
)

// Event is something that happened in a group. Which fields are set depends on
// What.
type Event struct {
	Group    wire.GroupID
	Name     string // of the group
	What     What
	Peer     protocols.Key // whom it is about
	PeerName string        // as it calls itself
	By       protocols.Key // who wrote the record, if it is about another
	Number   wire.Number   // of the term
	Seq      wire.Seq
	Record   wire.RecordID
	Count    int
	Detail   string
}

// tell notes an event, to be told when what led to it is on disk.
func (r *room) tell(e Event) {
	r.changed = true
	if e.Number == 0 {
		e.Number = r.seat.Branch().Record.Number
	}
	r.events = append(r.events, e)
}

// tellMessage notes that another's message can be read. Those that come together
// are one event.
func (r *room) tellMessage(rec *wire.Record) {
	seq, ok := r.seat.Ledger().Log().Find(rec.Name())
	if !ok || rec.Author == r.s.self {
		return
	}
	for i := range r.events {
		if e := &r.events[i]; e.What == Messages {
			e.Count++
			if seq > e.Seq {
				e.Seq, e.Peer, e.Record = seq, rec.Author, rec.ID
			}
			return
		}
	}
	r.tell(Event{What: Messages, Peer: rec.Author, Seq: seq, Record: rec.ID, Count: 1})
}

// notify tells of the events, behind the save.
func (r *room) notify() {
	if r.place.serves() { // it is nobody's here
		r.events = nil
	}
	if len(r.events) == 0 {
		return
	}
	name := r.seat.Ledger().Fold().Settings().Name
	for _, e := range r.events {
		e.Group, e.Name = r.id, name
		if e.PeerName == "" && e.Peer != (protocols.Key{}) {
			e.PeerName = r.nameOf(e.Peer)
		}
		r.s.notify(e)
	}
	r.events = nil
}

func (s *Service) notify(e Event) {
	s.count.event(e.What)
	if s.cfg.Notify != nil {
		s.cfg.Notify(e)
	}
}

// tellRecord tells of a record with effect that is no message. What was done
// before this node came in is no news.
func (r *room) tellRecord(rec *wire.Record, seq wire.Seq) {
	if r.before(rec) {
		return
	}
	e := Event{What: What(rec.Kind.String()), Peer: rec.Author, Seq: seq, Record: rec.ID}
	switch rec.Kind {
	case wire.KindKick, wire.KindRole:
		if t, err := wire.ParseTarget(rec.Kind, rec.Payload); err == nil {
			e.Peer, e.By = t.Member, rec.Author
			if rec.Kind == wire.KindRole {
				e.Detail = t.Role.String()
			}
		}
	case wire.KindRename:
		if p, err := wire.ParseRename(rec.Payload); err == nil {
			e.Detail = p.Name
		}
	case wire.KindJoin:
		if p, err := wire.ParseJoin(rec.Payload); err == nil {
			e.PeerName = p.Name
		}
	}
	r.tell(e)
}

// tellVoid tells this node that a record of its own has no effect, and names the hub
// that took one which it should have refused.
func (r *room) tellVoid(now time.Time, e member.Event) {
	if e.Undue && !r.before(e.Record) {
		r.forged(now, e.Place.Primary, fmt.Errorf("it took a record that it should have refused: %w", e.Err))
	}
	if rec := e.Record; rec.Author == r.s.self {
		r.tell(Event{What: Voided, Peer: rec.Author, Seq: e.Place.Seq, Record: rec.ID, Detail: e.Err.Error()})
	}
}

// hubWords says what failover's events are called here.
var hubWords = map[failover.EventKind]What{
	failover.Claimed: Claimed, failover.Withdrew: Withdrew, failover.Merged: Merged,
	failover.SteppedDown: Stepped, failover.Equivocated: Forked,
}

// hubEvent takes what happened to hubs.
func (r *room) hubEvent(e failover.Event) {
	r.changed = true
	if what, ok := hubWords[e.Kind]; ok {
		x := Event{What: what, Peer: e.Peer}
		if e.Branch != nil {
			x.Number = e.Branch.Record.Number
		}
		r.tell(x)
	}
	switch e.Kind {
	case failover.Displaced:
		r.tell(Event{What: Displaced, Peer: e.Peer, By: e.Branch.Opened.Admin, Number: e.Branch.Opened.Number})
		return
	case failover.Disbelieved:
		r.blame(r.last, Disbelieved, e.Peer, fmt.Sprintf("its claim of term %d is not believed", e.Branch.Record.Number))
		return
	case failover.Equivocated:
		logger.Warnw("signed what it must not have", "group", r.id, "peer", e.Peer)
		return
	}
	h := e.Branch.Record
	if e.Kind == failover.Claimed || e.Kind == failover.Merged {
		r.speak([]wire.Frame{&wire.TopicHub{Record: h.Bytes()}})
	}
	logger.Infow("hub", "group", r.id, "event", e.Kind.String(), "term", h.Number, "version", h.Version, "hub", h.Primary)
	r.tellHub(h)
}

// tellHub tells of the hub and its chain, where they are others than were told.
func (r *room) tellHub(h *wire.HubRecord) {
	before := r.told
	r.told = chainOf{h.Number, h.Primary, h.Shadow, h.Candidate}
	switch {
	case r.told == before:
	case r.told.number != before.number || r.told.hub != before.hub:
		r.tell(Event{What: NewHub, Peer: h.Primary, Number: h.Number})
	default:
		r.tell(Event{What: NewChain, Peer: h.Primary, Number: h.Number})
	}
}

// chainOf is a hub, its shadow and candidate.
type chainOf struct {
	number                 wire.Number
	hub, shadow, candidate protocols.Key
}

// How often a group tells of what one peer does against the rules, and of how
// many deeds it keeps count.
const (
	blameEvery = time.Minute
	maxDeeds   = 256
)

// deed is what a peer does, maybe again and again.
type deed struct {
	what What
	peer protocols.Key
}

// deeds is how often it did so since it was told of.
type deeds struct {
	told  time.Time
	count int
}

// forged notes that a peer sent what breaks a rule.
func (r *room) forged(now time.Time, from protocols.Key, err error) {
	r.blame(now, Forged, from, err.Error())
}

// withheld names a hub for what it withholds. Where it may not hear this node at all it
// is not accused.
func (r *room) withheld(now time.Time, e member.Event) {
	if e.Deaf {
		r.blame(now, Deaf, e.Peer, "")
		return
	}
	r.forged(now, e.Peer, errWithheld(e))
}

// mistimed names a hub for the time on what it signs. Where only the clocks differ, and
// no two others agree with this node's, it is not the hub that is named.
func (r *room) mistimed(now time.Time, hub protocols.Key, err error) {
	agreed := r.s.cfg.Agreed
	if errors.Is(err, member.ErrClock) && (agreed == nil || !agreed(hub)) {
		r.blame(now, Clocks, hub, err.Error())
		return
	}
	r.forged(now, hub, err)
}

// blame notes what a peer did. Strangers cost nothing to make: what they do is told
// of together.
func (r *room) blame(now time.Time, what What, peer protocols.Key, detail string) {
	k := deed{what, peer}
	if what == TurnedAway {
		k.peer = protocols.Key{}
	}
	d := r.deeds[k]
	if d == nil {
		if len(r.deeds) >= maxDeeds {
			for k := range r.deeds {
				delete(r.deeds, k)
				break
			}
		}
		d = new(deeds)
		r.deeds[k] = d
	}
	d.count++
	if d.told.IsZero() || now.Sub(d.told) >= blameEvery {
		r.tell(Event{What: what, Peer: peer, Count: d.count, Detail: detail})
		d.told, d.count = now, 0
	}
}
