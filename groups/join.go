package groups

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// askAgain is how often one who wants to join asks.
const askAgain = time.Second

// joining is a node's way into a group: it shows its join record to members until
// one of them, the hub, has put it into the log.
type joining struct {
	s          *Service
	charter    *wire.Charter
	inv        *wire.Invite
	record     *wire.Record
	invitation *wire.Invitation
	frames     chan inbound
	boxes      chan box      // that came before there is a room to take them in
	done       chan struct{} // closed when it has ended, either way
	branch     *failover.Branch
}

// box is one that was passed on, and the stream that it came on.
type box struct {
	in     Inbound
	sealed []byte
}

type inbound struct {
	from  protocols.Key
	frame wire.Frame
}

// receive takes a frame; what is too much is dropped and asked for again.
func (j *joining) receive(in Inbound, f wire.Frame) {
	if f, ok := f.(*wire.Keys); ok {
		j.keep(in, f)
		return
	}
	select {
	case j.frames <- inbound{in.Peer(), f}:
	default:
	}
}

// keep keeps boxes, and nothing else of their frame.
func (j *joining) keep(in Inbound, f *wire.Keys) {
	for _, b := range f.Boxes {
		select {
		case j.boxes <- box{in, bytes.Clone(b)}:
		default:
		}
	}
}

// unpack takes the boxes that have come.
func (j *joining) unpack(r *room) {
	for {
		select {
		case x := <-j.boxes:
			if err := r.boxes(x.in, wire.PassedKeys(r.id, x.sealed)); err != nil {
				x.in.Misbehaved(err)
			}
		default:
			return
		}
	}
}

// Join goes into a group by an invitation. It returns when the join stands in the
// log of the group's hub.
func (s *Service) Join(ctx context.Context, i *wire.Invitation) (wire.GroupID, error) {
	j, err := s.newJoining(i)
	if err != nil {
		return wire.GroupID{}, err
	}
	id := j.charter.Group()
	select {
	case <-s.running:
	case <-ctx.Done():
		return id, ErrStopped
	}
	return id, s.joinBy(ctx, j)
}

// joinBy shows a join to those who may let this node in, and takes the seat.
func (s *Service) joinBy(ctx context.Context, j *joining) error {
	s.unserve(j.charter.Group())
	if err := s.enlist(j); err != nil {
		return err
	}
	r, err := j.come(ctx)
	s.mu.Lock()
	delete(s.joining, j.charter.Group())
	s.mu.Unlock()
	close(j.done)
	if err != nil {
		return err
	}
	j.unpack(r)
	return r.awaitRoot(ctx)
}

// enlist lets frames of the group come to the joining.
func (s *Service) enlist(j *joining) error {
	id := j.charter.Group()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return ErrStopped
	case s.rooms[id] != nil, s.joining[id] != nil:
		return ErrMember
	case len(s.sort(false)) >= maxGroups:
		return ErrTooMany
	}
	s.joining[id] = j
	return nil
}

// come asks, and enters.
func (j *joining) come(ctx context.Context) (*room, error) {
	if err := j.keepWish(false); err != nil {
		return nil, err
	}
	if err := j.ask(ctx, j.targets(j.invitation)); err != nil {
		return nil, firstOf(j.settleWish(err), err)
	}
	return j.enter()
}

func (s *Service) newJoining(i *wire.Invitation) (*joining, error) {
	inv, charter, err := wire.ParseInvite(s.cfg.Verifier, i.Invite)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	if now.UnixMilli() > int64(inv.Expires) {
		return nil, ErrExpired
	}
	rec, err := s.wished(charter.Group(), i.Invite)
	if err == nil && rec == nil {
		rec, err = s.signJoin(now, charter.Group(), i)
	}
	if err != nil {
		return nil, err
	}
	return s.joiningBy(i, inv, charter, rec), nil
}

func (s *Service) joiningBy(i *wire.Invitation, inv *wire.Invite, c *wire.Charter, rec *wire.Record) *joining {
	return &joining{
		s: s, charter: c, inv: inv, record: rec, invitation: i, frames: make(chan inbound, 64), boxes: make(chan box, maxEarlyBoxes), done: make(chan struct{}),
	}
}

// signJoin makes the record that asks to be let in.
func (s *Service) signJoin(now time.Time, g wire.GroupID, i *wire.Invitation) (*wire.Record, error) {
	p := wire.Join{Invite: i.Invite, Name: s.cfg.Name()}
	if i.Seed != nil {
		bearer := s.bearer(ed25519.NewKeyFromSeed(i.Seed))
		p.Signature = wire.SignJoin(bearer, g, s.self)
	}
	return s.sign(now, g, wire.KindJoin, p.Append(nil))
}

// sign makes a record of this node's.
func (s *Service) sign(now time.Time, g wire.GroupID, kind wire.Kind, payload []byte) (*wire.Record, error) {
	b := wire.SignRecords(s.cfg.Signer, []wire.Record{{
		Group: g, ID: newRecordID(now), Kind: kind, Time: wire.Millis(now.UnixMilli()), Payload: payload,
	}})[0]
	rec, err := wire.ParseRecord(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return rec, nil
}

// bearer signs with the key of a link.
func (s *Service) bearer(k ed25519.PrivateKey) protocols.Signer {
	return bearer{key: k, network: s.cfg.Signer.Network()}
}

type bearer struct {
	key     ed25519.PrivateKey
	network protocols.Network
}

func (b bearer) Public() protocols.Key      { return protocols.Key(b.key.Public().(ed25519.PublicKey)) }
func (b bearer) Network() protocols.Network { return b.network }

func (b bearer) Sign(tag protocols.Tag, msg []byte) (sig protocols.Signature) {
	copy(sig[:], ed25519.Sign(b.key, append(b.network.SigningPrefix(nil, tag), msg...)))
	return sig
}

// targets are whom to ask: the members whose addresses came along, and who
// invited.
func (j *joining) targets(i *wire.Invitation) []protocols.Key {
	list := j.s.cfg.Learn(i.Addrs)
	if !slices.Contains(list, j.inv.Issuer) {
		list = append(list, j.inv.Issuer)
	}
	return slices.DeleteFunc(list, func(k protocols.Key) bool { return k == j.s.self })
}

// ask shows the record to members, and to the hub that they name, until the hub
// answers.
func (j *joining) ask(ctx context.Context, targets []protocols.Key) error {
	again := time.NewTicker(askAgain)
	defer again.Stop()
	f := &wire.Publish{Group: j.charter.Group(), Records: [][]byte{j.record.Bytes()}}
	frame := outbound{frame: wire.AppendFrame(nil, f)}
	for {
		to := targets
		if j.branch != nil {
			to = append(slices.Clone(targets), j.branch.Primary())
		}
		for _, k := range to {
			j.s.dialer.send(k, frame)
		}
		for asked := false; !asked; {
			select {
			case <-ctx.Done():
				return ErrNobody
			case <-j.s.ctx.Done():
				return ErrStopped
			case <-again.C:
				asked = true
			case x := <-j.frames:
				done, err := j.answer(x)
				if done || err != nil {
					return err
				}
			}
		}
	}
}

// answer takes what a member said. done: the hub has taken the record.
func (j *joining) answer(x inbound) (done bool, err error) {
	switch f := x.frame.(type) {
	case *wire.HubRecordFrame:
		b, err := failover.ParseBranch(j.s.cfg.Verifier, f)
		if err != nil || b.Record.Group != j.charter.Group() || j.branch != nil && b.Record.Number < j.branch.Record.Number {
			return false, nil
		}
		news := j.branch == nil || j.branch.Primary() != b.Primary()
		j.branch = b
		if news && b.Primary() != x.from {
			p := &wire.Publish{Group: j.charter.Group(), Records: [][]byte{j.record.Bytes()}}
			j.s.dialer.send(b.Primary(), outbound{frame: wire.AppendFrame(nil, p)})
		}
	case *wire.Accepted:
		ours := slices.ContainsFunc(f.Records, func(a wire.AcceptedRecord) bool { return a.ID == j.record.ID })
		return ours && j.branch != nil && x.from == j.branch.Primary(), nil
	case *wire.Refused:
		hub := j.branch != nil && x.from == j.branch.Primary()
		if f.Record == j.record.ID && (hub || j.branch == nil && x.from == j.inv.Issuer) {
			return false, fmt.Errorf("%w: the group is full, or the invitation is used up, void or not from an admin any more", ErrRefused)
		}
	}
	return false, nil
}

// enter takes the seat. The log comes from the hub. What was on disk of the group,
// the invitation among it, gives way to it at once.
func (j *joining) enter() (*room, error) {
	p := place{Charter: j.charter.Bytes(), Invite: j.invitation.Invite, Secret: j.invitation.Secret}
	r := j.s.newRoom(j.charter, p)
	d := seat.Disk{Failover: failover.Durable{Current: j.branch}, Kept: []member.Kept{{Name: j.record.Name(), Record: j.record.Bytes(), Own: true}}}
	err := j.s.removeRatchets(r.id) // of a time before
	if err == nil {
		r.dels, err = j.s.rowsOf(r.id)
	}
	if err == nil {
		err = j.s.found(r, d)
	}
	if err != nil {
		return nil, err
	}
	return r, j.s.admit(r)
}

// found makes a new room of what will be on disk.
func (s *Service) found(r *room, d seat.Disk) error {
	if err := r.sit(d, false); err != nil {
		return err
	}
	r.unsaved = true
	first := r.seat.Ready(r.last)
	for _, e := range first.Record { // an invite into an empty log is fulfilled at once
		r.event(r.s.cfg.Now(), e)
	}
	r.after = append(r.after, func() { r.sendAll(first.Send) })
	return r.save(r.last, first.Save)
}

// Create founds a group in which this node is alone.
func (s *Service) Create(settings wire.Settings) (wire.GroupID, error) {
	c := wire.Charter{Settings: settings}
	rand.Read(c.Nonce[:])
	charter, err := wire.ParseCharter(s.cfg.Verifier, c.Sign(s.cfg.Signer))
	if err != nil {
		return wire.GroupID{}, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	first, err := failover.First(s.cfg.Signer, charter, s.cfg.Verifier)
	if err != nil {
		return wire.GroupID{}, err
	}
	p := place{Charter: charter.Bytes()}
	rand.Read(p.Secret[:])
	r := s.newRoom(charter, p)
	if err := s.found(r, seat.Disk{Failover: failover.Durable{Current: first}}); err != nil {
		return r.id, err
	}
	return r.id, s.admit(r)
}

// invited keeps an invitation that came.
func (s *Service) invited(from protocols.Key, body []byte) error {
	i, err := wire.ParseInvitation(body)
	if err != nil {
		return nil
	}
	inv, charter, err := wire.ParseInvite(s.cfg.Verifier, i.Invite)
	if err != nil || inv.Issuer != from || inv.For != s.self {
		return nil // of no use
	}
	r, err := s.entered(charter.Group())
	if err != nil {
		return err
	}
	if r != nil {
		if taken, err := r.promised(inv, i.Invite); taken || err != nil {
			return err
		}
	}
	if s.cfg.Now().UnixMilli() > int64(inv.Expires) {
		return nil
	}
	if needed, err := s.needs(charter.Group(), inv); !needed {
		return err
	}
	all, err := s.invitations()
	if err != nil {
		return err
	}
	if len(all) >= maxInvites {
		return ErrBusy
	}
	err = s.cfg.Rows.Apply([]Row{{Key: rowKey(charter.Group(), rowInvite), Value: body}}, nil)
	if err == nil && s.room(charter.Group()) == nil {
		s.notify(Event{Group: charter.Group(), Name: charter.Settings.Name, What: InviteCame, Peer: from, PeerName: i.Name})
	}
	return err
}

// tellInvite tells of an invitation that came while this node was in the group.
func (s *Service) tellInvite(g wire.GroupID) error {
	list, err := s.Invites()
	for _, i := range list {
		if i.Group == g {
			s.notify(Event{Group: g, Name: i.Name, What: InviteCame, Peer: i.From, PeerName: i.FromName})
		}
	}
	return err
}

// needs says whether an invitation can be of use. To one who is in the group it is
// not, unless it was made after a kick that this node has not heard of.
func (s *Service) needs(g wire.GroupID, inv *wire.Invite) (needed bool, err error) {
	r := s.room(g)
	if r == nil {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), giveTime)
	defer cancel()
	gone := r.see(ctx, func(time.Time) {
		needed = r.leaving || inv.Roster > r.seat.Ledger().Fold().Version()
	})
	if gone != nil && s.room(g) == nil {
		return true, nil
	}
	return needed, gone
}

// Invited is an invitation that came and was not used.
type Invited struct {
	Group      wire.GroupID
	Name       string // of the group, when the invitation was made
	From       protocols.Key
	FromName   string // as it calls itself
	Expires    time.Time
	Invitation *wire.Invitation
}

// Invites lists the invitations that can be used: not one into a group that this
// node is still in.
func (s *Service) Invites() ([]Invited, error) {
	list, err := s.invitations()
	return slices.DeleteFunc(list, func(i Invited) bool { return s.room(i.Group) != nil }), err
}

// invitations lists those that are kept and have not ended.
func (s *Service) invitations() (list []Invited, err error) {
	var over [][]byte
	err = s.cfg.Rows.Scan(nil, func(key, value []byte) error {
		if len(key) != 17 || key[16] != rowInvite {
			return nil
		}
		i, err := wire.ParseInvitation(value)
		if err != nil {
			return err
		}
		inv, c, err := wire.ParseInvite(s.cfg.Verifier, i.Invite)
		switch {
		case err != nil || s.cfg.Now().UnixMilli() > int64(inv.Expires): // or of an older version
			over = append(over, key)
		default:
			list = append(list, Invited{
				Group: c.Group(), Name: c.Settings.Name, From: inv.Issuer, FromName: i.Name,
				Expires: time.UnixMilli(int64(inv.Expires)), Invitation: i,
			})
		}
		return nil
	})
	if err == nil && len(over) > 0 {
		err = s.cfg.Rows.Apply(nil, over)
	}
	return list, err
}

// invitation makes an invitation for a peer, or for whoever has the link.
func (r *room) invitation(now time.Time, i wire.Invite) (*wire.Invitation, error) {
	fold := r.seat.Ledger().Fold()
	if !fold.Admin(r.s.self) {
		return nil, ErrRights
	}
	x := &wire.Invitation{Secret: r.place.Secret, Name: r.s.cfg.Name(), Addrs: r.s.cfg.Addrs()}
	if i.For == (protocols.Key{}) {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		i.Bearer, x.Seed = protocols.Key(public), private.Seed()
	}
	last, hash := r.seat.Ledger().Log().End()
	i.Charter, i.Made = r.charter.Bytes(), wire.Millis(now.UnixMilli())
	i.Roster, i.RosterHash = fold.Version(), fold.Hash()
	i.Seq, i.Log = last.Seq, hash
	x.Invite = i.Sign(r.s.cfg.Signer)
	_, _, err := wire.ParseInvite(r.s.cfg.Verifier, x.Invite)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return x, nil
}

// Invite makes an invitation: for a peer, to whom it is sent, or, with a zero
// key, one that whoever has its link can use.
func (s *Service) Invite(ctx context.Context, g wire.GroupID, to protocols.Key, uses uint64, life time.Duration) (*wire.Invitation, error) {
	r := s.room(g)
	if r == nil {
		return nil, ErrNoGroup
	}
	if life <= 0 || life > Life {
		return nil, ErrLife
	}
	var x *wire.Invitation
	var err error
	gone := r.do(ctx, func(now time.Time) {
		if err = ErrIsMember; r.seat.Ledger().Fold().Member(to) {
			return
		}
		x, err = r.invitation(now, wire.Invite{For: to, Uses: uses, Expires: wire.Millis(now.Add(life).UnixMilli())})
	})
	if gone != nil || err != nil {
		return nil, firstOf(gone, err)
	}
	if to != (protocols.Key{}) {
		err = s.cfg.Post(ctx, to, message.TypeGroupInvite, x.Append(nil))
	}
	return x, err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
