package node

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/node/localapi"
)

// groupErrors says what a user reads of each error of groups.
var groupErrors = []struct {
	is   error
	code localapi.Code
	hint string
}{
	{groups.ErrNoGroup, localapi.CodeNotFound, "tomd group list shows them"},
	{groups.ErrAmbiguous, localapi.CodeBadRequest, "name it by its id"},
	{groups.ErrGone, localapi.CodeNotFound, "tomd group list shows them"},
	{groups.ErrRights, localapi.CodeRefused, "tomd group show tells the roles"},
	{groups.ErrNoMember, localapi.CodeNotFound, "tomd group show lists the members"},
	{groups.ErrTooMany, localapi.CodeRefused, "leave one first"},
	{groups.ErrBusy, localapi.CodeBusy, "try again later"},
	{groups.ErrExpired, localapi.CodeRefused, "ask for another"},
	{groups.ErrMember, localapi.CodeExists, "tomd group list shows it"},
	{groups.ErrNobody, localapi.CodeUnreachable, "try again when a member is online"},
	{groups.ErrRefused, localapi.CodeRefused, "ask for another invitation"},
	{groups.ErrHistory, localapi.CodeRefused, "its hub lies, or two sides of the group have met since: this node goes on as soon as who invited you is there, or another is hub"},
	{groups.ErrSettings, localapi.CodeBadRequest, "a name has 1 to 64 bytes, a group at most 1024 members and 8 hub relays, a beat lasts 100ms to 1m, a link has 1 use or more"},
	{groups.ErrIsMember, localapi.CodeExists, "tomd group show lists the members"},
	{groups.ErrLife, localapi.CodeBadRequest, "say --expires 1h, for example"},
	{groups.ErrTooLarge, localapi.CodeTooLarge, "send it in parts"},
	{groups.ErrStopped, localapi.CodeStopping, "try again once the daemon runs"},
	{groups.ErrNoInvite, localapi.CodeNotFound, "tomd group invites lists them; a link begins with tom:join/"},
	{groups.ErrUnknown, localapi.CodeNotFound, "tomd group send prints the id of what it sends"},
	{wire.ErrLink, localapi.CodeBadRequest, "copy it whole"},
}

func groupError(err error, about string) error {
	for _, e := range groupErrors {
		if errors.Is(err, e.is) { // what is behind it means nothing to a user
			return localapi.Errorf(e.code, "%v", e.is).WithHint("%s", e.hint)
		}
	}
	return apiError(err, about)
}

// groupNamed finds a group by its name, or its id or the beginning of one.
func (n *Node) groupNamed(ctx context.Context, name string) (groups.Summary, error) {
	list, err := n.groups.List(ctx)
	if err != nil {
		return groups.Summary{}, err
	}
	var found []groups.Summary
	for _, g := range list {
		id := g.Group.String()
		if id == name {
			return g, nil
		}
		if g.Name == name || len(name) >= 6 && strings.HasPrefix(id, strings.ToLower(name)) {
			found = append(found, g)
		}
	}
	switch len(found) {
	case 0:
		return groups.Summary{}, groups.ErrNoGroup
	case 1:
		return found[0], nil
	}
	return groups.Summary{}, groups.ErrAmbiguous
}

// memberNamed finds a member by petname, peer id, link, or the name it has in the
// group.
func (n *Node) memberNamed(ctx context.Context, g wire.GroupID, name string) (Peer, error) {
	if p, err := n.Resolve(name); err == nil {
		return p, nil
	}
	info, err := n.groups.Show(ctx, g)
	if err != nil {
		return Peer{}, err
	}
	var found []Peer
	for _, m := range info.Members {
		if name != "" && n.memberName(m.Node, m.Name) == name {
			found = append(found, m.Node)
		}
	}
	if len(found) != 1 {
		return Peer{}, groups.ErrNoMember
	}
	return found[0], nil
}

func (a api) CreateGroup(ctx context.Context, g localapi.NewGroup) (localapi.GroupRef, error) {
	if g.Max == 0 {
		g.Max = wire.MaxMembers
	}
	if strings.TrimSpace(g.Name) == "" {
		return localapi.GroupRef{}, groupError(groups.ErrSettings, "")
	}
	relays, err := a.n.hubRelays(g.HubRelays)
	if err != nil {
		return localapi.GroupRef{}, err
	}
	id, err := a.n.groups.Create(wire.Settings{Name: g.Name, Open: g.Open, Max: g.Max, Beat: wire.DefaultBeat, HubRelays: relays})
	if err != nil {
		return localapi.GroupRef{}, groupError(err, g.Name)
	}
	return localapi.GroupRef{Group: id.String(), Name: g.Name}, nil
}

func (a api) Groups(ctx context.Context) ([]localapi.GroupLine, error) {
	list, err := a.n.groups.List(ctx)
	lines := []localapi.GroupLine{}
	for _, g := range list {
		role := wire.RoleMember
		if g.Admin {
			role = wire.RoleAdmin
		}
		lines = append(lines, localapi.GroupLine{
			Group: g.Group.String(), Name: g.Name, Members: g.Members, Role: role.String(),
			Term: uint64(g.Number), Seq: uint64(g.Seq), Hub: peerID(g.Hub),
			Read: uint64(g.Read), Unread: g.Unread,
		})
	}
	return lines, err
}

func (a api) Group(ctx context.Context, name string) (localapi.Group, error) {
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return localapi.Group{}, groupError(err, name)
	}
	i, err := a.n.groups.Show(ctx, g.Group)
	if err != nil {
		return localapi.Group{}, groupError(err, name)
	}
	out := localapi.Group{
		Group: g.Group.String(), Name: i.Name, Open: i.Settings.Open, Max: i.Settings.Max, BeatMS: uint64(i.Settings.Beat),
		Term: uint64(i.Number), Seq: uint64(i.Seq), Hub: peerID(i.Hub), Shadow: peerID(i.Shadow), Candidate: peerID(i.Candidate),
	}
	for _, m := range i.Members {
		out.Members = append(out.Members, localapi.GroupMember{
			ID: peerID(m.Node), Name: a.n.memberName(m.Node, m.Name), Role: m.Role.String(), Online: m.Online,
			AckedSeq: uint64(m.Acked), ReadSeq: uint64(m.Read),
		})
	}
	for _, r := range i.Relays {
		out.HubRelays = append(out.HubRelays, localapi.GroupRelay{
			ID: peerID(r.Node), Name: a.n.NameOf(r.Node), Online: r.Online, Declines: r.Declines,
		})
	}
	return out, nil
}

// hubRelays finds the nodes that are to be listed as relays.
func (n *Node) hubRelays(names []string) ([]Peer, error) {
	list := make([]Peer, 0, len(names))
	for _, name := range names {
		p, err := n.Resolve(name)
		if err != nil {
			return nil, apiError(err, name)
		}
		list = append(list, p)
	}
	return list, nil
}

func (a api) ServedGroups(ctx context.Context) ([]localapi.ServedGroup, error) {
	list, err := a.n.groups.Served(ctx)
	out := []localapi.ServedGroup{}
	for _, g := range list {
		place := ""
		switch a.n.Key() {
		case g.Hub:
			place = "hub"
		case g.Shadow:
			place = "shadow"
		case g.Candidate:
			place = "candidate"
		}
		out = append(out, localapi.ServedGroup{
			Group: g.Group.String(), Lister: peerID(g.Lister), Name: a.n.NameOf(g.Lister), Place: place,
			Members: g.Members, Records: g.Records, Bytes: g.Bytes, Term: uint64(g.Number), Since: localapi.At(g.Since),
		})
	}
	return out, err
}

// memberName is the petname, or what the member called itself.
func (n *Node) memberName(p Peer, own string) string {
	switch {
	case p == n.Key() && own == "":
		return n.cfg.Name
	case own != "":
		return own
	}
	return n.NameOf(p)
}

func (a api) InviteToGroup(ctx context.Context, name string, i localapi.NewInvite) (localapi.Invite, error) {
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return localapi.Invite{}, groupError(err, name)
	}
	var to Peer
	if i.Peer != "" {
		if to, err = a.n.Resolve(i.Peer); err != nil {
			return localapi.Invite{}, apiError(err, i.Peer)
		}
	}
	life := time.Duration(i.ExpiresS) * time.Second
	if life == 0 {
		life = groups.Life
	}
	x, err := a.n.groups.Invite(ctx, g.Group, to, max(i.Uses, 1), life)
	if err != nil {
		return localapi.Invite{}, groupError(err, name)
	}
	out := localapi.Invite{Invite: peerID(to), Expires: localapi.At(time.Now().Add(life))}
	if to == (Peer{}) {
		out.Link = x.Link()
	}
	return out, nil
}

func (a api) GroupInvites(context.Context) ([]localapi.ReceivedInvite, error) {
	list, err := a.n.groups.Invites()
	out := []localapi.ReceivedInvite{}
	for _, i := range list {
		name := a.n.NameOf(i.From)
		if name == "" {
			name = i.FromName
		}
		out = append(out, localapi.ReceivedInvite{
			Invite: i.Group.String(), Name: i.Name, From: peerID(i.From), FromName: name, Expires: localapi.At(i.Expires),
		})
	}
	return out, err
}

// joinTime is how long a join may take.
const joinTime = 30 * time.Second

func (a api) JoinGroup(ctx context.Context, invite string) (localapi.GroupRef, error) {
	i, err := a.invitation(invite)
	if err != nil {
		return localapi.GroupRef{}, groupError(err, invite)
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	id, err := a.n.groups.Join(ctx, i)
	if err != nil {
		return localapi.GroupRef{}, groupError(err, invite)
	}
	info, err := a.joined(ctx, id)
	return localapi.GroupRef{Group: id.String(), Name: info.Name, Members: len(info.Members)}, groupError(err, invite)
}

// joined waits until the log that the hub sends has come to this node's joining.
func (a api) joined(ctx context.Context, id wire.GroupID) (groups.Info, error) {
	for {
		news, err := a.n.groups.News(ctx, id)
		if err != nil {
			return groups.Info{}, err
		}
		info, err := a.n.groups.Show(ctx, id)
		if err != nil {
			return info, err
		}
		for _, m := range info.Members {
			if m.Node == a.n.Key() {
				return info, nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return info, nil // it is in, and hears the rest later
		}
	}
}

func (a api) invitation(text string) (*wire.Invitation, error) {
	if strings.HasPrefix(strings.TrimSpace(text), wire.LinkPrefix) {
		return wire.ParseLink(text)
	}
	list, err := a.n.groups.Invites()
	if err != nil {
		return nil, err
	}
	var found []*wire.Invitation
	for _, i := range list {
		if i.Name == text || len(text) >= 6 && strings.HasPrefix(i.Group.String(), strings.ToLower(text)) {
			found = append(found, i.Invitation)
		}
	}
	switch len(found) {
	case 0:
		return nil, groups.ErrNoInvite
	case 1:
		return found[0], nil
	}
	return nil, groups.ErrAmbiguous
}

func (a api) SendToGroup(ctx context.Context, name string, c localapi.GroupOutgoing) (localapi.GroupSent, error) {
	body, err := c.Bytes()
	if err != nil {
		return localapi.GroupSent{}, localapi.Errorf(localapi.CodeBadRequest, "the body is not what its encoding says: %v", err)
	}
	if c.Type == "" {
		c.Type = TextType
	}
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return localapi.GroupSent{}, groupError(err, name)
	}
	chosen, err := chosenRecordID(c.ID)
	if err != nil {
		return localapi.GroupSent{}, err
	}
	id, err := a.n.groups.SendOnce(ctx, g.Group, chosen, c.Type, body)
	if err != nil {
		return localapi.GroupSent{}, groupError(err, name)
	}
	st, err := a.n.groups.Status(ctx, g.Group, id)
	return a.groupSent(st), groupError(err, id.String())
}

// chosenRecordID reads the id that a writer chose; none is zero.
func chosenRecordID(text string) (id wire.RecordID, err error) {
	if text == "" {
		return id, nil
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) || !MessageID(b).Valid() {
		return id, localapi.Errorf(localapi.CodeBadRequest, "%q is no id for a record", text).
			WithHint("make a UUID of version 7, written as 32 hexadecimal digits, or leave it out")
	}
	return wire.RecordID(b), nil
}

func (a api) groupSent(st groups.Standing) localapi.GroupSent {
	out := localapi.GroupSent{
		ID: st.ID.String(), Term: uint64(st.Place.Number), Seq: uint64(st.Place.Seq), State: localapi.GroupQueued,
		Replicas: st.Replicas, Delivered: st.Delivered, Read: st.Read, Members: st.Members,
	}
	switch {
	case st.Refused != 0:
		out.State, out.Reason = localapi.GroupRefused, st.Why
	case st.Accepted && st.Delivered >= st.Members && st.Place.Seq > 0:
		out.State = localapi.GroupAll
	case st.Delivered > 0:
		out.State = localapi.GroupDelivered
	case st.Accepted:
		out.State = localapi.GroupAccepted
	case st.Busy.After(a.n.clock.Now()):
		out.Reason = "the hub is busy: it is asked again " + st.Busy.UTC().Format(time.RFC3339)
	}
	return out
}

func (a api) GroupRecord(ctx context.Context, name, record string, want localapi.GroupState, timeout time.Duration) (localapi.GroupSent, error) {
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return localapi.GroupSent{}, groupError(err, name)
	}
	b, err := hex.DecodeString(record)
	if err != nil || len(b) != len(wire.RecordID{}) {
		return localapi.GroupSent{}, groupError(groups.ErrUnknown, record)
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	st, err := a.n.groups.Await(within, g.Group, wire.RecordID(b), func(st groups.Standing) bool {
		return want == "" || a.groupSent(st).State.Reached(want)
	})
	if errors.Is(err, context.DeadlineExceeded) { // it is told how far it has come
		st, err = a.n.groups.Status(ctx, g.Group, wire.RecordID(b))
	}
	return a.groupSent(st), groupError(err, record)
}

// keyPatience is how long a follower of the log waits for the key of a message
// before it goes on with those behind it.
const keyPatience = 10 * time.Second

func (a api) GroupLog(ctx context.Context, name string, q localapi.GroupLogQuery) ([]localapi.GroupRecord, error) {
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return nil, groupError(err, name)
	}
	patience := time.Duration(0)
	if q.Wait > 0 {
		patience = keyPatience
	}
	late := time.NewTimer(q.Wait)
	defer late.Stop()
	look := time.NewTicker(time.Second) // patience ends without news
	defer look.Stop()
	for {
		news, err := a.n.groups.News(ctx, g.Group)
		if err != nil {
			return nil, groupError(err, name)
		}
		lines, err := a.n.groups.Log(ctx, g.Group, groups.Cursor(q.Since), q.Limit, patience)
		if err != nil || len(lines) > 0 || q.Wait == 0 {
			return a.groupRecords(g.Group, lines), groupError(err, name)
		}
		select {
		case <-news:
		case <-look.C:
		case <-late.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (a api) groupRecords(g wire.GroupID, lines []groups.Line) []localapi.GroupRecord {
	out := []localapi.GroupRecord{}
	for _, l := range lines {
		out = append(out, localapi.GroupRecord{
			Group: g.String(), Term: uint64(l.Place.Number), Seq: uint64(l.Place.Seq), ID: l.ID.String(), Kind: l.Kind.String(),
			From: peerID(l.Author), Name: a.n.memberName(l.Author, l.Name), Content: localapi.NewContent(l.Type, l.Body),
			Created: localapi.At(l.Time), Mark: string(l.Mark), Cursor: uint64(l.Cursor),
		})
	}
	return out
}

func (a api) MarkGroupRead(ctx context.Context, name string, seq uint64) error {
	g, err := a.n.groupNamed(ctx, name)
	if err == nil {
		err = a.n.groups.Read(ctx, g.Group, groups.Cursor(seq).Seq())
	}
	return groupError(err, name)
}

func (a api) ChangeGroup(ctx context.Context, name string, c localapi.GroupChange) (localapi.GroupSent, error) {
	g, err := a.n.groupNamed(ctx, name)
	if err != nil {
		return localapi.GroupSent{}, groupError(err, name)
	}
	var p Peer
	if c.Peer != "" {
		if p, err = a.n.memberNamed(ctx, g.Group, c.Peer); err != nil {
			return localapi.GroupSent{}, groupError(err, c.Peer)
		}
	}
	id, err := a.change(ctx, g.Group, p, c)
	if err != nil || id == (wire.RecordID{}) {
		return localapi.GroupSent{State: localapi.GroupAccepted}, groupError(err, name)
	}
	st, err := a.n.groups.Status(ctx, g.Group, id)
	return a.groupSent(st), groupError(err, id.String())
}

// change does it; the id is zero for what is no record.
func (a api) change(ctx context.Context, g wire.GroupID, p Peer, c localapi.GroupChange) (wire.RecordID, error) {
	switch c.Change {
	case localapi.ChangeLeave:
		return a.n.groups.Leave(ctx, g)
	case localapi.ChangeKick:
		return a.n.groups.Kick(ctx, g, p)
	case localapi.ChangeRole:
		switch c.Role {
		case wire.RoleAdmin.String():
			return a.n.groups.SetRole(ctx, g, p, wire.RoleAdmin)
		case wire.RoleMember.String():
			return a.n.groups.SetRole(ctx, g, p, wire.RoleMember)
		}
		return wire.RecordID{}, localapi.Errorf(localapi.CodeBadRequest, "there is no role %q", c.Role).WithHint("say admin or member")
	case localapi.ChangeRename:
		return a.n.groups.Rename(ctx, g, c.Name)
	case localapi.ChangeSettings:
		return a.settings(ctx, g, c)
	case localapi.ChangeDissolve:
		return a.n.groups.Dissolve(ctx, g)
	case localapi.ChangeHub:
		return wire.RecordID{}, a.n.groups.Move(ctx, g, p)
	}
	return wire.RecordID{}, localapi.Errorf(localapi.CodeBadRequest, "a group knows no change %q", c.Change)
}

func apiGroupEvent(e *groups.Event) *localapi.GroupEvent {
	out := &localapi.GroupEvent{
		Group: e.Group.String(), Name: e.Name, What: localapi.GroupWhat(e.What), Peer: peerID(e.Peer), PeerName: e.PeerName, By: peerID(e.By),
		Term: uint64(e.Number), Seq: uint64(e.Seq), Count: e.Count, Detail: e.Detail,
	}
	if e.Record != (wire.RecordID{}) {
		out.Record = e.Record.String()
	}
	return out
}

// settings changes what is named of settings.
func (a api) settings(ctx context.Context, g wire.GroupID, c localapi.GroupChange) (wire.RecordID, error) {
	var relays []Peer
	if c.HubRelays != nil {
		var err error
		if relays, err = a.n.hubRelays(*c.HubRelays); err != nil {
			return wire.RecordID{}, err
		}
	}
	return a.n.groups.Set(ctx, g, func(s *wire.Settings) {
		settle(s, c)
		if c.HubRelays != nil {
			s.HubRelays = relays
		}
	})
}

func settle(s *wire.Settings, c localapi.GroupChange) {
	if c.Open != nil {
		s.Open = *c.Open
	}
	if c.Max != nil {
		s.Max = *c.Max
	}
	if c.BeatMS != nil {
		s.Beat = wire.Millis(*c.BeatMS)
	}
}
