package localapi

import (
	"context"
	"net/url"
	"strconv"
)

// CreateGroup founds a group.
func (c *Client) CreateGroup(ctx context.Context, g NewGroup) (GroupRef, error) {
	return call[GroupRef](ctx, c, "POST", "groups", g)
}

// Groups lists the groups the node is in.
func (c *Client) Groups(ctx context.Context) ([]GroupLine, error) {
	return call[[]GroupLine](ctx, c, "GET", "groups", nil)
}

// ServedGroups lists the groups that the node serves without being in them.
func (c *Client) ServedGroups(ctx context.Context) ([]ServedGroup, error) {
	return call[[]ServedGroup](ctx, c, "GET", "served", nil)
}

// Group tells of a group.
func (c *Client) Group(ctx context.Context, group string) (Group, error) {
	return call[Group](ctx, c, "GET", "groups/"+segment(group), nil)
}

// InviteToGroup makes an invitation.
func (c *Client) InviteToGroup(ctx context.Context, group string, i NewInvite) (Invite, error) {
	return call[Invite](ctx, c, "POST", "groups/"+segment(group)+"/invites", i)
}

// GroupInvites lists the invitations that came.
func (c *Client) GroupInvites(ctx context.Context) ([]ReceivedInvite, error) {
	return call[[]ReceivedInvite](ctx, c, "GET", "invites", nil)
}

// JoinGroup joins by a link, or an invitation that came.
func (c *Client) JoinGroup(ctx context.Context, invite string) (GroupRef, error) {
	return call[GroupRef](ctx, c, "POST", "invites/join", joinRequest{invite})
}

// SendToGroup returns once the message is on the node's disk.
func (c *Client) SendToGroup(ctx context.Context, group string, content Content) (GroupSent, error) {
	return c.SendToGroupOnce(ctx, group, GroupOutgoing{Content: content})
}

// SendToGroupOnce is SendToGroup for who chooses the id.
func (c *Client) SendToGroupOnce(ctx context.Context, group string, o GroupOutgoing) (GroupSent, error) {
	return call[GroupSent](ctx, c, "POST", "groups/"+segment(group)+"/records", o)
}

// GroupRecord tells how a record of ours stands.
func (c *Client) GroupRecord(ctx context.Context, group, record string) (GroupSent, error) {
	return call[GroupSent](ctx, c, "GET", "groups/"+segment(group)+"/records/"+segment(record), nil)
}

// GroupLog lists a group's log.
func (c *Client) GroupLog(ctx context.Context, group string, q GroupLogQuery) ([]GroupRecord, error) {
	v := url.Values{"since": {strconv.FormatUint(q.Since, 10)}}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Wait > 0 {
		v.Set("wait", q.Wait.String())
	}
	return call[[]GroupRecord](ctx, c, "GET", "groups/"+segment(group)+"/log?"+v.Encode(), nil)
}

// ChangeGroup changes something about a group.
func (c *Client) ChangeGroup(ctx context.Context, group string, change GroupChange) (GroupSent, error) {
	return call[GroupSent](ctx, c, "POST", "groups/"+segment(group)+"/changes", change)
}

// MarkGroupRead notes up to where a person has read.
func (c *Client) MarkGroupRead(ctx context.Context, group string, seq uint64) error {
	_, err := call[empty](ctx, c, "POST", "groups/"+segment(group)+"/read", groupReadRequest{seq})
	return err
}
