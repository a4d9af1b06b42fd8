package localapi

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"
)

// MaxBody is more than any message can carry, bytes: bodies over it need not
// be read. The node's own limit is a little lower, and named in its refusal.
const MaxBody = 256 << 10

// DefaultType is the content type of a message that names none.
const DefaultType = "text/plain"

// Content is a body with its type. In JSON the body is text where it is valid
// UTF-8, else base64 with "encoding":"base64".
type Content struct {
	Type     string `json:"type"`
	Body     string `json:"body"`
	Encoding string `json:"encoding,omitempty"`
}

// NewContent makes the JSON form of a body.
func NewContent(kind string, body []byte) Content {
	if utf8.Valid(body) {
		return Content{Type: kind, Body: string(body)}
	}
	return Content{Type: kind, Body: base64.StdEncoding.EncodeToString(body), Encoding: "base64"}
}

// Bytes is the body itself.
func (c Content) Bytes() ([]byte, error) {
	switch c.Encoding {
	case "":
		return []byte(c.Body), nil
	case "base64":
		return base64.StdEncoding.DecodeString(c.Body)
	default:
		return nil, fmt.Errorf("unknown encoding %q: use base64, or none for text", c.Encoding)
	}
}

// Outgoing is a message to send.
type Outgoing struct {
	// ID is a UUIDv7 that the caller chooses: a message that is sent again under
	// the same id is sent once. Empty: the node chooses one.
	ID string `json:"id,omitempty"`
	To string `json:"to"` // petname, peer id or contact link
	Content
	LifetimeS uint32 `json:"lifetime_s,omitempty"` // seconds, at most 86 400; 0 means that
	Keep      bool   `json:"keep,omitempty"`       // the node keeps the content until the end, for Talk
}

// Accepted names a message that is synced in the outbox.
type Accepted struct {
	ID string `json:"id"`
	To string `json:"to"` // peer id
}

// Message is how far a message of ours has come.
type Message struct {
	ID            string `json:"id"`
	To            string `json:"to"`   // peer id
	Name          string `json:"name"` // petname, or the name it claims with "?"
	State         State  `json:"state"`
	Path          string `json:"path"`    // of the last attempt, or of the one that made it
	Holders       int    `json:"holders"` // live ones that keep it for the recipient; 0 once it is delivered
	Reason        string `json:"reason"`  // why it is not further, in words: "bob is away"; empty once delivered
	ForwardSecret bool   `json:"forward_secret"`
	Created       Time   `json:"created"`
	End           Time   `json:"end"` // when every copy is gone
}

// Trace is the story of a message of ours.
type Trace struct {
	ID            string        `json:"id"`
	To            string        `json:"to"`
	State         State         `json:"state"`
	ForwardSecret bool          `json:"forward_secret"`
	Attempts      List[Attempt] `json:"attempts"`
	Holders       List[Holder]  `json:"holders"`       // once delivered: those that had it, since the daemon runs
	Next          Time          `json:"next"`          // the next try; null when there is none
	SupersededBy  string        `json:"superseded_by"` // id of the message it was sealed anew as
}

// Attempt is one try to bring a message nearer to its recipient.
type Attempt struct {
	At        Time         `json:"at"`
	Path      string       `json:"path"` // "dial", "direct", "relayed" (a relay's circuit) or "relays" (which pass it on)
	Via       List[string] `json:"via"`  // peer ids of the relays, in the order it passes them
	Transport string       `json:"transport"`
	Result    string       `json:"result"`
}

// Holder is a node that has signed to keep a message for its recipient.
type Holder struct {
	ID    string `json:"id"`
	Until Time   `json:"until"` // its promise; null where it has given it to another holder
	Live  bool   `json:"live"`  // it answers, and has shown that it has the message
	Told  bool   `json:"told"`  // the message is delivered, and it knows: it is to forget its copy
}

// Received is an inbox row.
type Received struct {
	ID   string `json:"id"`
	From string `json:"from"` // peer id
	Name string `json:"name"` // petname, or the name it claims with "?"
	Content
	Created  Time   `json:"created"`  // by the author's clock
	Received Time   `json:"received"` // by ours
	End      Time   `json:"end"`      // when it will be gone
	Path     string `json:"path"`
	Read     bool   `json:"read"`
	Stranger bool   `json:"stranger"`
	Cursor   Cursor `json:"cursor"` // names the row: an id alone is its author's to choose
}

// InboxQuery chooses inbox rows.
type InboxQuery struct {
	Since    Cursor // rows after this one
	Unread   bool   // only those not marked read
	Requests bool   // only strangers' and muted peers'; without it muted ones are left out
	Limit    int    // at most so many; 0 means DefaultPage, more than MaxPage means MaxPage
}

// The sizes of an inbox page, rows. A page also ends after PageBytes of bodies.
const (
	DefaultPage = 64
	MaxPage     = 256
	PageBytes   = 4 << 20
)

// InboxPage is one answer to an inbox query.
type InboxPage struct {
	Messages List[Received] `json:"messages"`
	More     bool           `json:"more"`          // ask again with Since = Cursor
	Cursor   Cursor         `json:"cursor"`        // what comes after this page, of the inbox and of events
	Gap      bool           `json:"gap,omitempty"` // Since was too old: this is the whole inbox
}

// Receipt is a recipient's signed receipt, as exported: a third party checks
// it without asking anyone. It also names the other messages of its batch.
type Receipt struct {
	Network string `json:"network"` // part of what was signed
	ID      string `json:"id"`      // of the message
	Digest  []byte `json:"digest"`  // of its envelope, 32 bytes, base64
	Receipt []byte `json:"receipt"` // the exact signed bytes, base64
}
