package groups

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// Boxes seals what goes to members by the hub rather than by post, where each has
// its own box, and opens what came so. Its methods may be called from any goroutine;
// none blocks.
type Boxes interface {
	// Seal seals a message of the protocol's own, good for so long, for those of some
	// peers whose prekeys are at hand, and signs for all boxes together.
	Seal(to []protocols.Key, contentType string, body []byte, life time.Duration) map[protocols.Key][]byte
	// Open opens an envelope for this node, whose signature is verified.
	Open(e *envelope.Envelope) (contentType string, body []byte, err error)
	// Prekeys is the newest prekey record that is known of a peer; nil: none is.
	Prekeys(p protocols.Key) []byte
	// Learn takes in prekey records, each of which claims to be a peer's.
	Learn(told map[protocols.Key][]byte)
}

// What the hub passes on for one member: boxes, and the prekeys that are asked for
// before. Each member of the largest group may give its key to all others, and soon
// again.
const (
	passBurst = 4 * wire.MaxMembers
	passEvery = 5 * time.Millisecond
)

// maxEarlyBoxes is how many boxes wait for this node's join to end, and how many keys
// for the log to show that their owners are members.
const maxEarlyBoxes = wire.MaxMembers

var (
	errBox   = errors.New("a box that its author did not sign, or for another node, or another's")
	errNoKey = errors.New("a box without a key of the group")
)

// aside takes a frame that is not for the seat; ok says that it is one.
func (r *room) aside(in Inbound, f wire.Frame) (ok bool, err error) {
	switch f := f.(type) {
	case *wire.Keys:
		return true, r.boxes(in, f)
	case *wire.WantPrekeys:
		r.tellPrekeys(in.Peer(), f)
	case *wire.Prekeys:
		r.toldPrekeys(in.Peer(), f)
	default:
		return false, nil
	}
	return true, nil
}

// boxes takes what is in boxes for this node, and passes on what their author gave
// for others.
func (r *room) boxes(in Inbound, f *wire.Keys) error {
	if r.s.cfg.Boxes == nil || !r.knows(in.Peer()) {
		return nil
	}
	var away []wire.PrekeysOf
	for _, b := range f.Boxes {
		e, err := envelope.Parse(b)
		if err != nil {
			return err
		}
		if f.Passed() && e.To != r.s.self || !f.Passed() && e.From != in.Peer() {
			return errBox
		}
		if err := r.s.boxed.Verify(e); err != nil {
			return err
		}
		if e.To == r.s.self {
			r.unbox(in, e)
		} else if !r.pass(in.Peer(), e.To, b) {
			away = append(away, wire.PrekeysOf{Member: e.To})
		}
	}
	if len(away) > 0 {
		r.reply(in.Peer(), &wire.Prekeys{Group: r.id, Of: away})
	}
	return nil
}

// pass gives a box to its member, if that is connected.
func (r *room) pass(by, to protocols.Key, box []byte) bool {
	return r.passing.allow(by) && r.passing.member(to) && r.passTo(to, box)
}

// passTo is pass for whoever wrote it.
func (r *room) passTo(to protocols.Key, box []byte) bool {
	return r.s.cfg.Lines.Connected(to) && r.reply(to, wire.PassedKeys(r.id, box))
}

// reply sends a frame to one who is connected.
func (r *room) reply(to protocols.Key, f wire.Frame) bool {
	b := wire.AppendFrame(nil, f)
	if err := r.s.cfg.Lines.SendGroup(to, b); err != nil {
		r.s.count.unsent("line")
		return false
	}
	r.s.count.sent("group", len(b))
	return true
}

// unbox takes a sender key out of a box. What is not good is dropped: its author gives
// the key by post to who does not show that it has it.
func (r *room) unbox(in Inbound, e *envelope.Envelope) {
	if r.place.serves() {
		return // a relay has no keys
	}
	contentType, body, err := r.s.cfg.Boxes.Open(e)
	var key *wire.SenderKey
	if err == nil {
		if key, err = wire.ParseSenderKey(body); err == nil && (contentType != message.TypeSenderKey || key.Group != r.id) {
			err = errNoKey
		}
	}
	if err != nil {
		logger.Debugw("box dropped", "group", r.id, "peer", e.From, "err", err)
		return
	}
	r.enqueue(in.Peer(), 1, func(now time.Time) { r.keys.unboxed(now, in.Peer(), e.From, *key) })
}

// tellPrekeys tells a member the prekeys of others that are connected.
func (r *room) tellPrekeys(to protocols.Key, f *wire.WantPrekeys) {
	if r.s.cfg.Boxes == nil || !r.passing.member(to) {
		return
	}
	answer := &wire.Prekeys{Group: r.id, Of: make([]wire.PrekeysOf, len(f.Of))}
	for i, p := range f.Of {
		answer.Of[i].Member = p
		if r.passing.allow(to) && r.passing.member(p) && r.s.cfg.Lines.Connected(p) {
			answer.Of[i].Record = r.s.cfg.Boxes.Prekeys(p)
		}
	}
	r.reply(to, answer)
}

// toldPrekeys takes prekeys that were asked for, and that members are away to whom
// something was to be passed on.
func (r *room) toldPrekeys(from protocols.Key, f *wire.Prekeys) {
	var list, away []protocols.Key
	told := make(map[protocols.Key][]byte, len(f.Of))
	for _, x := range f.Of {
		switch {
		case x.Record == nil:
			away = append(away, x.Member)
		case r.wanted.take(from, x.Member):
			told[x.Member] = x.Record
			list = append(list, x.Member)
		}
	}
	if len(told) > 0 {
		r.s.cfg.Boxes.Learn(told)
	}
	if len(list)+len(away) > 0 {
		r.enqueue(from, 1, func(now time.Time) { r.keys.told(now, from, list, away) })
	}
}

// wanted are members whose prekeys the hub was asked for. Its methods are for any
// goroutine.
type wanted struct {
	mu  sync.Mutex
	hub protocols.Key
	of  map[protocols.Key]bool
}

// add forgets what another hub was asked for.
func (w *wanted) add(hub protocols.Key, of []protocols.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil || w.hub != hub {
		w.hub, w.of = hub, make(map[protocols.Key]bool)
	}
	for _, p := range of {
		w.of[p] = true
	}
}

// take says, once, that a member's are wanted from who tells them.
func (w *wanted) take(from, p protocols.Key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from != w.hub || !w.of[p] {
		return false
	}
	delete(w.of, p)
	return true
}

// passing are the members, and what each may have passed on. Its methods are for any
// goroutine.
type passing struct {
	mu      sync.Mutex
	members map[protocols.Key]*rate.Limiter
}

// know says who is a member.
func (p *passing) know(members map[protocols.Key]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.members
	p.members = make(map[protocols.Key]*rate.Limiter, len(members))
	for k := range members {
		p.members[k] = old[k]
	}
}

func (p *passing) member(k protocols.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.members[k]
	return ok
}

// allow says that one more thing may be passed on for a member.
func (p *passing) allow(k protocols.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.members[k]
	if !ok {
		return false
	}
	if l == nil {
		l = rate.NewLimiter(rate.Every(passEvery), passBurst)
		p.members[k] = l
	}
	return l.Allow()
}
