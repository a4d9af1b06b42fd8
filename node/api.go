package node

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// API is the node as the programs of its user see it, to be served by
// localapi.
func (n *Node) API() localapi.Backend { return api{n} }

// api puts the node into the words of localapi.
type api struct{ n *Node }

func (a api) Identity(context.Context) (localapi.Identity, error) {
	return localapi.Identity{ID: a.n.ID(), Link: a.n.Link(), Addrs: texts(a.n.Addrs())}, nil
}

func (a api) Status(ctx context.Context) (localapi.Status, error) {
	i, err := a.n.Info(ctx)
	if err != nil {
		return localapi.Status{}, apiError(err, "")
	}
	return localapi.Status{
		ID: a.n.ID(), Version: Version, UptimeMS: i.Uptime.Milliseconds(),
		Addrs: texts(a.n.Addrs()), Reachability: i.Reachability, Peers: i.Peers,
		Queued: i.Queued, Waiting: i.Waiting, ClockOffsetMS: i.ClockOffset.Milliseconds(),
		Holding: a.n.Mailbox().Copies,
		Chaos:   a.n.cfg.forecast.String(), LowMemory: a.n.cfg.LowMemory,
		Notices: i.Notices,
	}, nil
}

func (a api) Peers(context.Context) ([]localapi.Peer, error) {
	all := []localapi.Peer{}
	for _, p := range a.n.Peers() {
		all = append(all, apiPeer(p))
	}
	return all, nil
}

func apiPeer(p PeerInfo) localapi.Peer {
	return localapi.Peer{
		ID: peerID(p.Peer), Name: p.Name, Path: p.Path,
		RTTMS: float64(p.RTT.Microseconds()) / 1000, Since: localapi.At(p.Since), Addr: text(p.Addr),
		Via: peerID(p.Via), Transport: p.Transport, Load: int(p.Load),
		LimitLeft: max(0, p.Left), LimitEnds: localapi.At(p.Ends),
	}
}

func (a api) Connect(ctx context.Context, target string) (localapi.Peer, error) {
	p, err := a.n.Connect(ctx, target)
	if err != nil {
		return localapi.Peer{}, connectError(err, target)
	}
	for _, info := range a.n.Peers() {
		if info.Peer == p {
			return apiPeer(info), nil
		}
	}
	return localapi.Peer{ID: peerID(p), Name: a.n.NameOf(p)}, nil
}

func (a api) Send(ctx context.Context, m localapi.Outgoing) (localapi.Accepted, error) {
	body, err := m.Bytes()
	if err != nil {
		return localapi.Accepted{}, localapi.Errorf(localapi.CodeBadRequest, "the body is not what its encoding says: %v", err)
	}
	chosen, err := chosenID(m.ID)
	if err != nil {
		return localapi.Accepted{}, err
	}
	p, err := a.n.Resolve(m.To)
	if err != nil {
		return localapi.Accepted{}, apiError(err, m.To)
	}
	id, err := a.n.SendTo(ctx, p, Message{ID: chosen, Type: m.Type, Body: body, Keep: m.Keep, Lifetime: time.Duration(m.LifetimeS) * time.Second})
	if err != nil {
		return localapi.Accepted{}, apiError(err, m.To)
	}
	return localapi.Accepted{ID: id.String(), To: peerID(p)}, nil
}

func (a api) Message(ctx context.Context, id string) (localapi.Message, error) {
	key, err := parseID(id)
	if err != nil {
		return localapi.Message{}, err
	}
	st, err := a.n.Status(ctx, key)
	if err != nil {
		return localapi.Message{}, apiError(err, id)
	}
	return a.message(id, st), nil
}

func (a api) message(id string, st Status) localapi.Message {
	return localapi.Message{
		ID: id, To: peerID(st.To), Name: a.n.NameOf(st.To), State: localapi.State(st.State.String()),
		Path: st.Path, Holders: st.Holders, Reason: a.reason(st), ForwardSecret: st.ForwardSecret,
		Created: localapi.At(st.Created), End: localapi.At(st.End),
	}
}

// reason says why a message is not further, as far as this node knows.
func (a api) reason(st Status) string {
	switch {
	case st.State.Receipted():
		return ""
	case st.Reason != "":
		return st.Reason
	case a.n.links.Connected(st.To):
		return "no receipt yet"
	}
	name := a.n.NameOf(st.To)
	if name == "" {
		name = "the recipient"
	}
	return name + " is away"
}

func attemptOf(at *delivery.Attempt) localapi.Attempt {
	out := localapi.Attempt{
		At: localapi.At(at.At), Path: at.Path, Via: []string{}, Transport: at.Transport, Result: at.Result,
	}
	for _, relay := range at.Via {
		out.Via = append(out.Via, peerID(relay))
	}
	return out
}

func (a api) Mailbox(context.Context) (localapi.Mailbox, error) {
	m := a.n.Mailbox()
	return localapi.Mailbox{
		Offers: a.n.holder.Role(), Messages: m.Copies, Recipients: m.Recipients, Bytes: m.Bytes,
		Quota: m.Limits.Total, PerAuthor: m.Limits.PerAuthor, PerRecipient: m.Limits.PerRecipient,
		Oldest: localapi.At(m.Oldest), Ended: m.Ended,
	}, nil
}

func (a api) Trace(ctx context.Context, id string) (localapi.Trace, error) {
	key, err := parseID(id)
	if err != nil {
		return localapi.Trace{}, err
	}
	t, err := a.n.Trace(ctx, key)
	if err != nil {
		return localapi.Trace{}, apiError(err, id)
	}
	out := localapi.Trace{
		ID: id, To: peerID(t.To), State: localapi.State(t.State.String()), ForwardSecret: t.ForwardSecret,
		Attempts: []localapi.Attempt{}, Holders: []localapi.Holder{}, Next: localapi.At(t.Next),
	}
	for _, at := range t.Attempts {
		out.Attempts = append(out.Attempts, attemptOf(&at))
	}
	for _, h := range t.Holders {
		out.Holders = append(out.Holders, localapi.Holder{ID: peerID(h.Key), Until: localapi.At(h.End), Live: h.Live, Told: h.Told})
	}
	if t.SupersededBy != (MessageID{}) {
		out.SupersededBy = t.SupersededBy.String()
		st, err := a.n.Status(ctx, key)
		if err == nil {
			out.State = localapi.State(st.State.String())
		}
	}
	return out, nil
}

func (a api) Receipt(ctx context.Context, id string) (localapi.Receipt, error) {
	key, err := parseID(id)
	if err != nil {
		return localapi.Receipt{}, err
	}
	st, raw, err := a.n.Receipt(ctx, key)
	if err != nil {
		return localapi.Receipt{}, apiError(err, id)
	}
	return localapi.Receipt{Network: string(a.n.cfg.network), ID: st.ID.String(), Digest: st.Digest[:], Receipt: raw}, nil
}

func (a api) Inbox(_ context.Context, q localapi.InboxQuery) ([]localapi.Received, bool, error) {
	limit := q.Limit
	if limit <= 0 || limit > localapi.MaxPage {
		limit = localapi.MaxPage
	}
	all, size, more := []localapi.Received{}, 0, false
	query := Query{Since: Cursor(q.Since), Unread: q.Unread, Requests: q.Requests}
	err := a.n.eachReceived(query, func(r Received) bool {
		size += len(r.Body)
		if more = len(all) == limit || size > localapi.PageBytes && len(all) > 0; !more {
			all = append(all, apiReceived(&r))
		}
		return !more
	})
	return all, more, err
}

func apiReceived(r *Received) localapi.Received {
	return localapi.Received{
		ID: r.ID.String(), From: peerID(r.From), Name: r.Name, Content: localapi.NewContent(r.Type, r.Body),
		Created: localapi.At(r.Created), Received: localapi.At(r.Received), End: localapi.At(r.End), Path: r.Path,
		Read: r.Read, Stranger: r.Stranger, Cursor: localapi.Cursor(r.Cursor),
	}
}

func (a api) MarkRead(_ context.Context, rows []localapi.Cursor) error {
	cursors := make([]Cursor, len(rows))
	for i, c := range rows {
		cursors[i] = Cursor(c)
	}
	return apiError(a.n.MarkRead(cursors...), "")
}

func (a api) Contacts(context.Context) ([]localapi.Contact, error) {
	all := []localapi.Contact{}
	for _, c := range a.n.Contacts() {
		all = append(all, apiContact(c))
	}
	return all, nil
}

func (a api) AddContact(_ context.Context, target, petname string) (localapi.Contact, error) {
	c, err := a.n.AddContact(target, petname)
	return apiContact(c), apiError(err, target)
}

func (a api) RemoveContact(_ context.Context, name string) (localapi.Contact, error) {
	c, err := a.n.RemoveContact(name)
	return apiContact(c), apiError(err, name)
}

func (a api) RenameContact(_ context.Context, name, petname string) (localapi.Contact, error) {
	c, err := a.n.RenameContact(name, petname)
	return apiContact(c), apiError(err, name)
}

func (a api) Mute(_ context.Context, name string, muted bool) (localapi.Contact, error) {
	c, err := a.n.Mute(name, muted)
	return apiContact(c), apiError(err, name)
}

func apiContact(c Contact) localapi.Contact {
	return localapi.Contact{
		ID: peerID(c.Peer), Name: c.Name, Addrs: texts(c.Addrs), Muted: c.Muted, Added: localapi.At(c.Added),
		State: localapi.State(c.Presence.String()), Seen: localapi.At(c.Seen),
	}
}

func (a api) Cursors(context.Context) (oldest, newest localapi.Cursor, err error) {
	from, to := a.n.store.Cursors()
	return localapi.Cursor(from), localapi.Cursor(to), nil
}

func (a api) Events(_ context.Context, since localapi.Cursor, limit int) ([]localapi.Event, error) {
	all := []localapi.Event{}
	_, err := a.n.replay(Cursor(since), limit, func(e Event) error {
		all = append(all, apiEvent(e))
		return nil
	})
	return all, err
}

func apiEvent(e Event) localapi.Event {
	out := localapi.Event{Cursor: localapi.Cursor(e.Cursor), At: localapi.At(e.At)}
	switch e.Kind {
	case MessageReceived:
		r := apiReceived(e.Message)
		out.Kind, out.ID, out.Peer, out.Message = localapi.EventReceived, r.ID, r.From, &r
	case StateChanged:
		out.Kind, out.ID, out.State = localapi.EventState, e.ID.String(), localapi.State(e.State.String())
	case MessageRead:
		out.Kind = localapi.EventRead
		if e.ID != (MessageID{}) {
			out.ID = e.ID.String()
		}
	case ContactChanged:
		out.Kind, out.Peer = localapi.EventContact, peerID(e.Peer)
	case PeerChanged:
		out.Kind, out.Peer, out.State = localapi.EventPeer, peerID(e.Peer), localapi.State(e.Presence.String())
	case GroupChanged:
		out.Kind, out.Group = localapi.EventGroup, apiGroupEvent(e.Group)
	}
	return out
}

func (a api) Subscribe() (wake <-chan struct{}, cancel func()) { return a.n.store.Subscribe() }

func parseID(id string) (MessageID, error) {
	key, err := envelope.ParseID(id)
	if err != nil {
		return key, localapi.Errorf(localapi.CodeNotFound, "%q is no message id", id).
			WithHint("tomd send prints the id of what it sends")
	}
	return key, nil
}

// chosenID reads the id that a sender chose; none is zero.
func chosenID(text string) (id MessageID, err error) {
	if text == "" {
		return id, nil
	}
	if id, err = envelope.ParseID(text); err != nil || !id.Valid() {
		return MessageID{}, localapi.Errorf(localapi.CodeBadRequest, "%q is no id for a message", text).
			WithHint("make a UUID of version 7, or leave it out")
	}
	return id, nil
}

func peerID(p Peer) string {
	if p == (Peer{}) {
		return ""
	}
	return identity.PeerIDOf(p).String()
}

func text(a multiaddr.Multiaddr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func texts(addrs []multiaddr.Multiaddr) []string {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = text(a)
	}
	return all
}

// connectError says what to do about a peer that does not answer.
func connectError(err error, target string) error {
	var unknown *UnknownPeerError
	if errors.As(err, &unknown) || errors.Is(err, ErrSelf) {
		return apiError(err, target)
	}
	if _, perr := peer.Decode(target); perr == nil {
		return localapi.Errorf(localapi.CodeUnreachable, "cannot connect: %v", err).
			WithHint("give its contact link or a multiaddr; a peer id alone says nothing of where it is")
	}
	return localapi.Errorf(localapi.CodeUnreachable, "cannot connect: %v", err).
		WithHint("check that the other side is running and its address is current")
}
