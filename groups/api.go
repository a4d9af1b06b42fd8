package groups

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// Summary is a group in a line.
type Summary struct {
	Group   wire.GroupID
	Name    string
	Members int
	Admin   bool // this node is one
	Number  wire.Number
	Seq     wire.Seq
	Hub     protocols.Key
	Read    wire.Seq // up to where this node's person has read
	Unread  int      // messages of others behind that
}

// MemberInfo is a member as this node knows it.
type MemberInfo struct {
	Node   protocols.Key
	Name   string // as it called itself
	Role   wire.Role
	Online bool
	Acked  wire.Seq // up to where it holds the log
	Read   wire.Seq
}

// Info is a group as this node knows it.
type Info struct {
	Summary
	Settings          wire.Settings
	Shadow, Candidate protocols.Key // zero: none
	Members           []MemberInfo
	Relays            []RelayInfo // that are listed and no members
}

// RelayInfo is a relay that may be hub, as this node knows it.
type RelayInfo struct {
	Node     protocols.Key
	Online   bool
	Declines string // why it does not serve the group; empty: it has not said that it does not
}

// Mark is how a record counts.
type Mark string

// The marks of records.
const (
	Effective  Mark = "effective"
	Void       Mark = "void"
	Waiting    Mark = "waiting"    // its key has not come
	Unreadable Mark = "unreadable" // it cannot be opened here
	Moved      Mark = "moved"      // it had another place before two branches became one
)

// Line is a record of the log.
type Line struct {
	Place  wire.Place
	Cursor Cursor // for what follows
	ID     wire.RecordID
	Kind   wire.Kind
	Author protocols.Key
	Name   string // of the author
	About  protocols.Key
	Type   string // of a message's content
	Body   []byte
	Time   time.Time
	Mark   Mark
}

// Standing is how far an own record has come.
type Standing struct {
	ID        wire.RecordID // its content's newest
	Place     wire.Place
	Accepted  bool
	Refused   envelope.Reason
	Why       string    // it is refused
	Busy      time.Time // until then the hub, which is busy, is not asked again; zero: it is
	Replicas  uint64
	Delivered int // members besides this node that hold it and can open it
	Read      int
	Members   int // besides this node
}

// ask runs f in the room of a group.
func (s *Service) ask(ctx context.Context, g wire.GroupID, f func(r *room, now time.Time) error) error {
	r := s.room(g)
	if r == nil {
		return ErrNoGroup
	}
	var err error
	gone := r.do(ctx, func(now time.Time) { err = f(r, now) })
	return firstOf(gone, err)
}

// List lists the groups, by name.
func (s *Service) List(ctx context.Context) (list []Summary, err error) {
	for _, r := range s.all() {
		err := r.do(ctx, func(time.Time) {
			if !r.leaving {
				list = append(list, r.summary())
			}
		})
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Group[:], b.Group[:]))
	})
	return list, nil
}

func (r *room) summary() Summary {
	f, b := r.seat.Ledger().Fold(), r.seat.Branch()
	return Summary{
		Read: r.place.Read, Unread: r.unread(),
		Group: r.id, Name: f.Settings().Name, Members: f.Len(), Admin: f.Admin(r.s.self),
		Number: b.Record.Number, Seq: r.seat.End(), Hub: b.Primary(),
	}
}

// unread counts what others wrote behind the place up to which a person has read,
// since this node is in.
func (r *room) unread() (n int) {
	log := r.seat.Ledger().Log()
	base, _ := log.Base()
	for seq := max(r.place.Read, r.joined, base.Seq) + 1; seq <= r.seat.End(); seq++ {
		if e, ok := log.At(seq); ok && e.Record.Kind == wire.KindMessage && e.Record.Author != r.s.self && r.seat.Ledger().Void(seq) == nil {
			n++
		}
	}
	return n
}

// showTime is how long Show waits for the hub to say who has what.
const showTime = 300 * time.Millisecond

// Show tells of a group.
func (s *Service) Show(ctx context.Context, g wire.GroupID) (i Info, err error) {
	var news <-chan struct{}
	err = s.ask(ctx, g, func(r *room, now time.Time) error {
		if !r.knowsAll() {
			r.seat.AskReceipts(now)
			news = r.news
		}
		return nil
	})
	if err == nil && news != nil {
		select {
		case <-news:
		case <-time.After(showTime):
		case <-ctx.Done():
		}
	}
	if err == nil {
		i, err = s.show(ctx, g)
	}
	return i, err
}

// knowsAll says whether this node knows of all members that they have the log.
func (r *room) knowsAll() bool {
	end := r.seat.End()
	for k := range r.seat.Ledger().Fold().All() {
		if to, _ := r.holds(k); k != r.s.self && to < end {
			return false
		}
	}
	return true
}

func (s *Service) show(ctx context.Context, g wire.GroupID) (i Info, err error) {
	err = s.ask(ctx, g, func(r *room, now time.Time) error {
		f, b := r.seat.Ledger().Fold(), r.seat.Branch()
		i = Info{Summary: r.summary(), Settings: f.Settings(), Shadow: b.Record.Shadow, Candidate: b.Record.Candidate}
		for _, m := range f.Roster().Members {
			i.Members = append(i.Members, r.memberInfo(m))
		}
		for _, k := range f.Relays() {
			i.Relays = append(i.Relays, r.relayInfo(now, k))
		}
		return nil
	})
	return i, err
}

func (r *room) memberInfo(m wire.Member) MemberInfo {
	x := MemberInfo{Node: m.Node, Name: m.Name, Role: m.Role}
	x.Online = m.Node == r.s.self || r.s.cfg.Lines.Connected(m.Node)
	x.Acked, x.Read = r.holds(m.Node)
	if m.Node == r.s.self {
		x.Acked, x.Read = r.seat.End(), r.place.Read
	}
	return x
}

// Log lists what stands behind a place, at most limit records, and of them those
// before the first that waits for its key for less than patience.
func (s *Service) Log(ctx context.Context, g wire.GroupID, since Cursor, limit int, patience time.Duration) (list []Line, err error) {
	r := s.room(g)
	if r == nil {
		return nil, ErrNoGroup
	}
	err = r.see(ctx, func(now time.Time) {
		log := r.seat.Ledger().Log()
		from, before := r.place.Cuts.since(since)
		base, _ := log.Base()
		for seq := max(from, base.Seq) + 1; seq <= r.seat.End() && len(list) < limit; seq++ {
			e, ok := log.At(seq)
			if !ok || had(before, e) {
				continue
			}
			l := r.line(e)
			if l.Mark == Waiting && now.Sub(l.Time) < patience {
				break
			}
			list = append(list, l)
		}
	})
	return list, err
}

func (r *room) line(e entry) Line {
	rec := e.Record
	l := Line{
		Place: e.Place, Cursor: r.place.Cuts.cursor(e.Place.Seq), ID: rec.ID, Kind: rec.Kind, Author: rec.Author, Name: r.nameOf(rec.Author),
		Time: time.UnixMilli(int64(rec.Time)), Mark: Effective,
	}
	switch {
	case r.seat.Ledger().Void(e.Place.Seq) != nil:
		l.Mark = Void
	case e.Old != nil:
		l.Mark = Moved
	}
	r.fill(&l, rec)
	return l
}

// fill adds what a record says.
func (r *room) fill(l *Line, rec *wire.Record) {
	switch rec.Kind {
	case wire.KindMessage:
		c, err := r.content(rec.Name())
		switch {
		case err == nil:
			l.Type, l.Body = c.Type, c.Body
		case l.Mark == Void:
		case r.keys.waiting[rec.Name()] != nil:
			l.Mark = Waiting
		default:
			l.Mark = Unreadable
		}
	case wire.KindJoin:
		if p, err := wire.ParseJoin(rec.Payload); err == nil {
			l.Name = p.Name
		}
	case wire.KindKick, wire.KindRole:
		if p, err := wire.ParseTarget(rec.Kind, rec.Payload); err == nil {
			l.About = p.Member
			l.Body = []byte(r.nameOf(p.Member))
			if rec.Kind == wire.KindRole {
				l.Body = append(l.Body, ": "+p.Role.String()...)
			}
		}
	case wire.KindRename:
		if p, err := wire.ParseRename(rec.Payload); err == nil {
			l.Body = []byte(p.Name)
		}
	}
}

// content reads what a message said.
func (r *room) content(n wire.RecordName) (message.Content, error) {
	plain := r.s.text(r.id, n)
	if plain == nil {
		return message.Content{}, ErrUnknown
	}
	return message.Parse(plain)
}

// before says that a record was written before this node came in. A relay never
// does.
func (r *room) before(rec *wire.Record) bool {
	at, ok := r.seat.Ledger().Log().Find(rec.Name())
	return ok && (r.place.serves() || at < r.joined)
}

func (r *room) nameOf(k protocols.Key) string {
	m, _ := r.seat.Ledger().Fold().Of(k)
	return m.Name
}

// News gives a channel that is closed when something in the group has changed.
func (s *Service) News(ctx context.Context, g wire.GroupID) (news <-chan struct{}, err error) {
	err = s.ask(ctx, g, func(r *room, _ time.Time) error { news = r.news; return nil })
	return news, err
}

// Read notes up to where a person has read; the other members hear of it.
func (s *Service) Read(ctx context.Context, g wire.GroupID, to wire.Seq) error {
	return s.ask(ctx, g, func(r *room, now time.Time) error {
		if to = min(to, r.seat.End()); to > r.place.Read {
			r.place.Read, r.unsaved = to, true
			r.seat.Read(now, to)
		}
		return nil
	})
}

// Send writes a message. It is on disk when Send returns, and is published until
// it stands in the log or its day is over.
func (s *Service) Send(ctx context.Context, g wire.GroupID, contentType string, body []byte) (wire.RecordID, error) {
	return s.SendOnce(ctx, g, wire.RecordID{}, contentType, body)
}

// SendOnce is Send under an id that the caller chose: what was written under it
// before is not written again. Zero stands for a new one.
func (s *Service) SendOnce(ctx context.Context, g wire.GroupID, chosen wire.RecordID, contentType string, body []byte) (wire.RecordID, error) {
	r := s.room(g)
	if r == nil {
		return wire.RecordID{}, ErrNoGroup
	}
	type outcome struct {
		id  wire.RecordID
		err error
	}
	done := make(chan outcome, 1)
	content := message.Content{Type: contentType, Body: body}
	if err := content.Fits(); err != nil {
		return wire.RecordID{}, ErrTooLarge
	}
	if err := r.do(ctx, func(now time.Time) {
		r.keys.write(now, draft{id: chosen, contentType: contentType, body: body, done: func(id wire.RecordID, err error) { done <- outcome{id, err} }})
	}); err != nil {
		return wire.RecordID{}, err
	}
	select {
	case x := <-done:
		return x.id, x.err
	case <-ctx.Done():
		return wire.RecordID{}, ErrBusy
	case <-r.closed:
		return wire.RecordID{}, ErrGone
	}
}

// Status tells how far an own record has come.
func (s *Service) Status(ctx context.Context, g wire.GroupID, id wire.RecordID) (st Standing, err error) {
	err = s.ask(ctx, g, func(r *room, _ time.Time) error {
		newest, x := r.newest(id)
		if x == nil {
			return ErrUnknown
		}
		st = r.standing(newest, x)
		return nil
	})
	return st, err
}

func (r *room) standing(id wire.RecordID, x *sentRecord) Standing {
	st := Standing{ID: id, Place: x.place, Accepted: x.accepted, Refused: x.refused, Why: x.why, Busy: x.busy, Replicas: x.replicas}
	log := r.seat.Ledger().Log()
	seq, ok := log.Find(wire.RecordName{Author: r.s.self, ID: id})
	if ok {
		e, _ := log.At(seq)
		st.Place, st.Accepted, st.Refused, st.Why = e.Place, true, 0, "" // whoever refused it
		st.Replicas = max(st.Replicas, 1)
	}
	told := r.seat.Standing(seq)
	st.Delivered, st.Read, st.Members = told.Delivered, told.Read, told.Members
	if !ok {
		st.Members = r.seat.Ledger().Fold().Len() - 1
	}
	return st
}

// act publishes a record of this node that is no message.
func (s *Service) act(ctx context.Context, g wire.GroupID, kind wire.Kind, payload func(r *room) ([]byte, error)) (id wire.RecordID, err error) {
	err = s.ask(ctx, g, func(r *room, now time.Time) error {
		b, err := payload(r)
		if err != nil {
			return err
		}
		rec, err := s.sign(now, g, kind, b)
		if err != nil {
			return err
		}
		if r.seat.Ledger().Fold().Judge(rec, false) != nil {
			return ErrRights
		}
		r.publish(now) // what was written before
		r.track(rec.ID)
		r.changed = true
		if r.seat.Write(now, rec) == 0 {
			return ErrBusy
		}
		id = rec.ID
		return nil
	})
	return id, err
}

// target makes the payload of a record about a member.
func target(kind wire.Kind, k protocols.Key, role wire.Role) func(r *room) ([]byte, error) {
	return func(r *room) ([]byte, error) {
		names, ok := r.seat.Ledger().Fold().Names(k)
		if !ok {
			return nil, ErrNoMember
		}
		t := &wire.Target{Kind: kind, Member: k, Role: role, Names: names}
		if kind == wire.KindLeave {
			t.Member = protocols.Key{}
		}
		return t.Append(nil), nil
	}
}

// Leave leaves a group. Alone, the group ends with it.
func (s *Service) Leave(ctx context.Context, g wire.GroupID) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindLeave, target(wire.KindLeave, s.self, 0))
}

// Kick removes a member.
func (s *Service) Kick(ctx context.Context, g wire.GroupID, k protocols.Key) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindKick, target(wire.KindKick, k, 0))
}

// SetRole makes a member an admin, or no admin.
func (s *Service) SetRole(ctx context.Context, g wire.GroupID, k protocols.Key, role wire.Role) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindRole, target(wire.KindRole, k, role))
}

// Rename gives a group another name.
func (s *Service) Rename(ctx context.Context, g wire.GroupID, name string) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindRename, func(*room) ([]byte, error) {
		b := (&wire.Rename{Name: name}).Append(nil)
		if _, err := wire.ParseRename(b); err != nil || strings.TrimSpace(name) == "" {
			return nil, ErrSettings
		}
		return b, nil
	})
}

// Set changes the settings of a group.
func (s *Service) Set(ctx context.Context, g wire.GroupID, change func(*wire.Settings)) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindSettings, func(r *room) ([]byte, error) {
		now := r.seat.Ledger().Fold().Settings()
		change(&now)
		b := now.Append(nil)
		if _, err := wire.ParseSettings(b); err != nil {
			return nil, ErrSettings
		}
		return b, nil
	})
}

// Dissolve ends a group for all.
func (s *Service) Dissolve(ctx context.Context, g wire.GroupID) (wire.RecordID, error) {
	return s.act(ctx, g, wire.KindDissolve, func(*room) ([]byte, error) { return wire.Dissolve{}.Append(nil), nil })
}

// Move names the hub, as an admin.
func (s *Service) Move(ctx context.Context, g wire.GroupID, to protocols.Key) error {
	return s.ask(ctx, g, func(r *room, now time.Time) error {
		fold := r.seat.Ledger().Fold()
		switch {
		case !fold.Admin(s.self):
			return ErrRights
		case !fold.Hears(to):
			return ErrNoMember
		}
		r.seat.Move(now, to)
		return nil
	})
}
