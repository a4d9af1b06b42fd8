package localapi

import "math"

// Cursor is the number of an event: it grows with every change a program can
// see, over restarts too. Zero is before the first.
type Cursor uint64

// Latest, as the cursor to read events from, asks only for those to come.
const Latest Cursor = math.MaxUint64

// List is a slice that is [] in JSON when it is nil.
type List[T any] []T

// MarshalJSON writes an array, never null.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return marshal([]T(l))
}

// Identity says who a node is.
type Identity struct {
	ID    string       `json:"id"`    // peer id
	Link  string       `json:"link"`  // contact link, tom:peer/…
	Addrs List[string] `json:"addrs"` // multiaddrs, public first, then LAN, then relayed
}

// Status sums a node up.
type Status struct {
	ID            string       `json:"id"`
	Version       string       `json:"version"`
	UptimeMS      int64        `json:"uptime_ms"`
	Addrs         List[string] `json:"addrs"`
	Reachability  string       `json:"reachability"` // public, private, local or unknown
	Peers         int          `json:"peers"`        // connected
	Queued        int          `json:"queued"`       // messages in state queued or sent
	Waiting       int          `json:"waiting"`      // messages relayed or stored
	Holding       int          `json:"holding"`      // envelopes held for others
	ClockOffsetMS int64        `json:"clock_offset_ms"`
	Chaos         string       `json:"chaos,omitempty"` // how the node spoils its own streams, for tests; empty: not at all
	LowMemory     bool         `json:"low_memory,omitempty"`
	Notices       []string     `json:"notices,omitempty"` // what a user should know, a sentence each: clock off, port taken
}

// Peer is a connected peer.
type Peer struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`   // petname, or the name it claims with "?" behind it
	Path  string  `json:"path"`   // direct or relayed
	RTTMS float64 `json:"rtt_ms"` // 0 while not measured
	Since Time    `json:"since"`
	Addr  string  `json:"addr"`

	Via       string `json:"via,omitempty"`        // peer id of the relay, if relayed
	Transport string `json:"transport,omitempty"`  // quic, tcp, …: to the peer, or to the relay
	LimitLeft int64  `json:"limit_left,omitempty"` // bytes that the relay still lets through on this circuit; absent without a limit
	LimitEnds Time   `json:"limit_ends,omitzero"`  // when the relay ends this circuit; absent without a limit
	Load      int    `json:"load,omitempty"`       // how busy it says it is, 255 the most
}

// ClaimedName is how a name from a hello is shown while there is no petname.
func ClaimedName(claim string) string {
	if claim == "" {
		return ""
	}
	return claim + "?"
}

// Contact is a peer the user has named, or muted.
type Contact struct {
	ID    string       `json:"id"`
	Name  string       `json:"name"`
	Addrs List[string] `json:"addrs"`
	Muted bool         `json:"muted"`
	Added Time         `json:"added"` // null for a muted peer that is no contact
	State State        `json:"state"` // online, stale (gone, for less than half a minute) or offline
	Seen  Time         `json:"seen"`  // its newest sign of life; null: none since the daemon started
}

// Event is one change. Which of the optional fields are set depends on Kind.
type Event struct {
	Cursor  Cursor      `json:"cursor,omitempty"`
	Kind    EventKind   `json:"kind,omitempty"`
	At      Time        `json:"at,omitzero"`
	ID      string      `json:"id,omitempty"`      // the message: EventState, EventRead
	Peer    string      `json:"peer,omitempty"`    // peer id: author, contact or peer; none with EventState and EventRead
	State   State       `json:"state,omitempty"`   // EventState; with EventPeer that of the peer
	Message *Received   `json:"message,omitempty"` // EventReceived; nil if it is gone by now
	Group   *GroupEvent `json:"group,omitempty"`   // EventGroup
	// Gap, on an event of its own with nothing but Status beside it: the cursor
	// asked for is too old, or not of this database. What is in the inbox from
	// before the oldest event follows as EventReceived, then all events kept.
	Gap    bool    `json:"gap,omitempty"`
	Status *Status `json:"status,omitempty"`
}

// EventKind says what changed.
type EventKind string

// The kinds of events.
const (
	EventReceived EventKind = "received" // a message came in
	EventState    EventKind = "state"    // a message of ours changed its state (queued: was accepted)
	EventRead     EventKind = "read"     // an inbox row was marked read here
	EventPeer     EventKind = "peer"     // a peer that is no stranger came or went: State is online, stale or offline
	EventGroup    EventKind = "group"    // something happened in a group: Group
	EventContact  EventKind = "contact"  // a contact was added, renamed, removed, muted or unmuted
)

// Mailbox sums up what a node keeps for others who are away.
type Mailbox struct {
	Offers       bool  `json:"offers"` // it keeps things for others
	Messages     int   `json:"messages"`
	Recipients   int   `json:"recipients"`
	Bytes        int64 `json:"bytes"` // with overhead
	Quota        int64 `json:"quota"` // bytes, and so are the shares
	PerAuthor    int64 `json:"per_author"`
	PerRecipient int64 `json:"per_recipient"` // strangers together get half
	Oldest       Time  `json:"oldest"`        // when the oldest came; null without any
	Ended        int   `json:"ended"`         // delivered: only the receipt is left, until the end
}
