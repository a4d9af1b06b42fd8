package localapi

import (
	"context"
	"time"
)

// GroupBackend is what a daemon offers of groups. A group is named by its name,
// or its id or the beginning of one.
type GroupBackend interface {
	CreateGroup(ctx context.Context, g NewGroup) (GroupRef, error)
	Groups(ctx context.Context) ([]GroupLine, error)
	// ServedGroups lists the groups that the node serves without being in them.
	ServedGroups(ctx context.Context) ([]ServedGroup, error)
	Group(ctx context.Context, group string) (Group, error)
	// InviteToGroup makes an invitation. One for a peer is sent to it; without
	// peer it is a link.
	InviteToGroup(ctx context.Context, group string, i NewInvite) (Invite, error)
	// GroupInvites lists the invitations that came.
	GroupInvites(ctx context.Context) ([]ReceivedInvite, error)
	// JoinGroup joins by a link, or by an invitation that came, named by its
	// group. It returns when the group's hub has taken the join.
	JoinGroup(ctx context.Context, invite string) (GroupRef, error)
	// SendToGroup returns once the message is on disk.
	SendToGroup(ctx context.Context, group string, o GroupOutgoing) (GroupSent, error)
	// GroupRecord tells how far a record of ours has come: at once, or when it has
	// come as far as want, or timeout has passed.
	GroupRecord(ctx context.Context, group, record string, want GroupState, timeout time.Duration) (GroupSent, error)
	// GroupLog lists the log; if there is nothing, it waits for up to q.Wait.
	GroupLog(ctx context.Context, group string, q GroupLogQuery) ([]GroupRecord, error)
	// ChangeGroup does what an admin, or the member itself, may do.
	ChangeGroup(ctx context.Context, group string, c GroupChange) (GroupSent, error)
	// MarkGroupRead notes up to where a person has read.
	MarkGroupRead(ctx context.Context, group string, seq uint64) error
}

// NewGroup is a group to be made.
type NewGroup struct {
	Name string `json:"name"`
	Open bool   `json:"open"`
	Max  uint64 `json:"max"` // members; 0: as many as may be
	// HubRelays are nodes that may be hub although they are no members: petnames, peer
	// ids or contact links.
	HubRelays []string `json:"hub_relays,omitempty"`
}

// GroupRef names a group.
type GroupRef struct {
	Group   string `json:"group"` // its id in hex
	Name    string `json:"name"`
	Members int    `json:"members,omitempty"`
}

// GroupLine is a group in a list.
type GroupLine struct {
	Group   string `json:"group"`
	Name    string `json:"name"`
	Members int    `json:"members"`
	Role    string `json:"role"` // of this node
	Term    uint64 `json:"term"`
	Seq     uint64 `json:"seq"`
	Hub     string `json:"hub"`    // peer id
	Read    uint64 `json:"read"`   // seq up to which a person has read here
	Unread  int    `json:"unread"` // messages of others behind that
}

// Group is a group as this node knows it.
type Group struct {
	Group     string            `json:"group"`
	Name      string            `json:"name"`
	Open      bool              `json:"open"`
	Max       uint64            `json:"max"`
	BeatMS    uint64            `json:"beat_ms"`
	Term      uint64            `json:"term"`
	Seq       uint64            `json:"seq"`
	Hub       string            `json:"hub"`
	Shadow    string            `json:"shadow"`    // empty: none
	Candidate string            `json:"candidate"` // empty: none
	Members   List[GroupMember] `json:"members"`   // by seniority
	HubRelays List[GroupRelay]  `json:"hub_relays"`
}

// GroupMember is a member, and what of the log it says that it has.
type GroupMember struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`   // admin, member
	Online   bool   `json:"online"` // connected to this node
	AckedSeq uint64 `json:"acked_seq"`
	ReadSeq  uint64 `json:"read_seq"`
}

// GroupRelay is a node that may be hub although it is no member.
type GroupRelay struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Online   bool   `json:"online"`             // connected to this node
	Declines string `json:"declines,omitempty"` // why it does not serve the group, if it has said so
}

// ServedGroup is a group that this node serves without being in it: it can read
// nothing of it.
type ServedGroup struct {
	Group   string `json:"group"`
	Lister  string `json:"lister"` // peer id of the admin who listed this node
	Name    string `json:"name"`   // the admin's petname
	Place   string `json:"place"`  // hub, shadow, candidate; empty: none
	Members int    `json:"members"`
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	Term    uint64 `json:"term"`
	Since   Time   `json:"since"`
}

// NewInvite is an invitation to be made.
type NewInvite struct {
	Peer     string `json:"peer"` // empty: a link
	Uses     uint64 `json:"uses"` // of a link; 0: 1
	ExpiresS int64  `json:"expires_s"`
}

// Invite is an invitation that was made.
type Invite struct {
	Invite  string `json:"invite"` // peer id of whom it is for; empty for a link
	Link    string `json:"link"`   // empty for a peer's
	Expires Time   `json:"expires"`
}

// ReceivedInvite is an invitation that came.
type ReceivedInvite struct {
	Invite   string `json:"invite"` // what to join with: the group's id
	Name     string `json:"name"`   // of the group
	From     string `json:"from"`
	FromName string `json:"from_name"`
	Expires  Time   `json:"expires"`
}

// GroupState is how far a record has come.
type GroupState string

// The states of a record, in order.
const (
	GroupQueued    GroupState = "queued"    // on this node's disk
	GroupAccepted  GroupState = "accepted"  // put into the log by a hub
	GroupDelivered GroupState = "delivered" // at least one other member has it
	GroupAll       GroupState = "all"       // every other member has it
	GroupRefused   GroupState = "refused"   // it never will stand in the log
)

var groupProgress = []GroupState{GroupQueued, GroupAccepted, GroupDelivered, GroupAll}

// Reached says that s is at least want, on the way from queued to all.
func (s GroupState) Reached(want GroupState) bool { return reached(groupProgress, s, want) }

// settled says that waiting for want makes no sense any more.
func (s GroupState) settled(want GroupState) bool { return s.Reached(want) || s == GroupRefused }

// GroupOutgoing is a message to a group.
type GroupOutgoing struct {
	// ID is 32 hexadecimal digits that the caller chooses, a UUIDv7: a message that
	// is sent again under the same id is written once. Empty: the node chooses.
	ID string `json:"id,omitempty"`
	Content
}

// GroupSent is how a record of ours stands.
type GroupSent struct {
	ID        string     `json:"id"`
	Term      uint64     `json:"term"`
	Seq       uint64     `json:"seq"`
	State     GroupState `json:"state"`
	Replicas  uint64     `json:"replicas"`
	Delivered int        `json:"delivered"` // other members that have it and can open it
	Read      int        `json:"read"`
	Members   int        `json:"members"` // other members
	Reason    string     `json:"reason,omitempty"`
}

// GroupWhat says what happened in a group. For a record with effect it is its
// kind: join, leave, kick, role, rename, settings, dissolve or snapshot.
type GroupWhat string

// What may happen besides.
const (
	GroupMessage     GroupWhat = "message"      // others wrote: Count messages, the newest by Peer at Seq
	GroupOpened      GroupWhat = "opened"       // the key of Peer's message Record has come: it can be read now
	GroupUnreadable  GroupWhat = "unreadable"   // Peer's message Record can never be read here
	GroupVoid        GroupWhat = "void"         // our Record has no effect: Detail
	GroupNotTaken    GroupWhat = "refused"      // the hub refuses our Record: Detail
	GroupClaimed     GroupWhat = "claimed"      // our node claims to be hub
	GroupWithdrew    GroupWhat = "withdrew"     // and takes that back
	GroupHub         GroupWhat = "hub"          // Peer is hub from now on
	GroupChain       GroupWhat = "chain"        // the hub named another shadow or candidate
	GroupMerged      GroupWhat = "merged"       // our node, as hub, made one group of two parts
	GroupSteppedDown GroupWhat = "stepped_down" // our node is hub no more
	GroupMoved       GroupWhat = "moved"        // Count records have another place than they had
	GroupForked      GroupWhat = "equivocation" // Peer signed what excludes each other; that is proven
	GroupForged      GroupWhat = "forged"       // Peer sent what breaks a rule, Count times since the last such event: Detail
	GroupClocks      GroupWhat = "clocks"       // the clock of Peer, the hub, or ours is wrong, and it is not known whose, Count times since the last such event: Detail
	GroupDeaf        GroupWhat = "deaf"         // Peer, the hub, answers nothing of what our node says, which it may not hear, Count times since the last such event
	GroupDisplaced   GroupWhat = "displaced"    // By, an admin, took the group away from Peer
	GroupDisbelieved GroupWhat = "disbelieved"  // Peer claimed to be hub, without right or while the hub is well, Count times since the last such event: Detail
	GroupTurnedAway  GroupWhat = "turned_away"  // our node, the hub, refused strangers, the last Peer, Count times since the last such event: Detail
	GroupRemoved     GroupWhat = "removed"      // our node is no member any more
	GroupInvited     GroupWhat = "invited"      // Peer invites our node
	GroupDeclined    GroupWhat = "declined"     // Peer, listed as a hub relay, does not serve the group: Detail
)

// GroupEvent is something that happened in a group. Which of the optional fields
// are set depends on What. What was written is in the group's log.
type GroupEvent struct {
	Group    string    `json:"group"` // its id
	Name     string    `json:"name"`  // of the group
	What     GroupWhat `json:"what"`
	Peer     string    `json:"peer,omitempty"`      // peer id of whom it is about
	PeerName string    `json:"peer_name,omitempty"` // as it calls itself
	By       string    `json:"by,omitempty"`        // peer id of who wrote a kick or role record, or displaced a hub
	Term     uint64    `json:"term,omitempty"`
	Seq      uint64    `json:"seq,omitempty"`    // of the record in the log
	Record   string    `json:"record,omitempty"` // its id
	Count    int       `json:"count,omitempty"`
	Detail   string    `json:"detail,omitempty"` // of role and rename the role and the name; otherwise why
}

// GroupLogQuery says what of a log is asked for.
type GroupLogQuery struct {
	Since uint64        // seq before the first
	Limit int           // 0: MaxPage
	Wait  time.Duration // for something to come
}

// GroupRecord is a line of a group's log.
type GroupRecord struct {
	Group   string `json:"group"`
	Term    uint64 `json:"term"`
	Seq     uint64 `json:"seq"`
	ID      string `json:"id"`
	Kind    string `json:"kind"` // message, join, leave, kick, role, rename, settings, dissolve, snapshot
	From    string `json:"from"`
	Name    string `json:"name"`
	Content        // of a message; otherwise whom or what it is about
	Created Time   `json:"created"`
	Mark    string `json:"mark"`   // effective, void, waiting, unreadable, moved
	Cursor  uint64 `json:"cursor"` // for what follows
}

// The changes of a group.
const (
	ChangeLeave    = "leave"
	ChangeKick     = "kick"     // peer
	ChangeRole     = "role"     // peer, role
	ChangeRename   = "rename"   // name
	ChangeSettings = "settings" // what is not null
	ChangeDissolve = "dissolve"
	ChangeHub      = "hub" // peer
)

// GroupChange is something to be changed about a group.
type GroupChange struct {
	Change string  `json:"change"`
	Peer   string  `json:"peer,omitempty"`
	Role   string  `json:"role,omitempty"`
	Name   string  `json:"name,omitempty"`
	Open   *bool   `json:"open,omitempty"`
	Max    *uint64 `json:"max,omitempty"`
	BeatMS *uint64 `json:"beat_ms,omitempty"`
	// HubRelays, if not null, are all that may be hub without being members, named as
	// in NewGroup.
	HubRelays *[]string `json:"hub_relays,omitempty"`
}
