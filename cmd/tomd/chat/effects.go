package chat

import (
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// What a step wants done. Each is answered by an input.
type (
	// load asks for everything but words; answered by loaded or away.
	load struct{}
	// loadPage asks for a page of a talk: the newest, or that before its first
	// line. Answered by page.
	loadPage struct {
		key
		before localapi.Cursor
	}
	// loadLog asks for what stands in a group's log behind a seq; answered by page.
	loadLog struct {
		key
		since uint64
	}
	// say gives the first draft of a talk's queue to the daemon; answered by said.
	say struct {
		key
		text string
	}
	// markRead tells the daemon what was shown; answered by marked if it failed.
	markRead struct {
		key
		cursors []localapi.Cursor
		seq     uint64 // in a group: up to here
	}
	// askStanding asks how own messages stand; answered by standing, one each.
	askStanding struct {
		key
		ids []string
	}
	// askTrace asks for the way of a message; answered by traced.
	askTrace struct {
		key
		id string
	}
	// askAbout asks about a person or a group; answered by about.
	askAbout struct{ key }
	// do is a change that a person asked for; answered by done.
	do struct {
		what order
		key
		arg, arg2 string
	}
	// copyText puts a text into the terminal's clipboard.
	copyText struct{ text string }
	// leave ends the program.
	leave struct{}
)

// order is a change that a person can ask for.
type order string

const (
	orderAdd     order = "add"
	orderName    order = "name"
	orderForget  order = "forget"
	orderMute    order = "mute"
	orderUnmute  order = "unmute"
	orderCreate  order = "create"
	orderJoin    order = "join"
	orderInvite  order = "invite"
	orderLeave   order = "leave"
	orderConnect order = "connect"
)

// What comes in from the daemon.
type (
	// loaded is everything but words, as it stood at a cursor.
	loaded struct {
		me       localapi.Identity
		contacts []localapi.Contact
		talks    localapi.TalkList
		groups   []localapi.GroupLine
		invites  []localapi.ReceivedInvite
		peers    []localapi.Peer // who is connected
	}
	// away says that the daemon does not answer.
	away struct{ err error }
	// happened is an event.
	happened struct{ localapi.Event }
	// page is a part of a talk.
	page struct {
		key
		asked  localapi.Cursor // what it was asked to be before; 0: the newest
		words  []localapi.Words
		more   bool
		before localapi.Cursor
		// of a group
		records []localapi.GroupRecord
		since   uint64
		newest  bool // records reach to the end of the log
		err     error
	}
	// said answers say.
	said struct {
		key
		id  string
		err error
	}
	marked struct {
		key
		cursors []localapi.Cursor
		seq     uint64
		err     error
	}
	standing struct {
		key
		id      string
		message *localapi.Message
		group   *localapi.GroupSent
	}
	traced struct {
		key
		id    string
		trace localapi.Trace
		group localapi.Group
		sent  localapi.GroupSent
		err   error
	}
	about struct {
		key
		contact localapi.Contact
		peer    *localapi.Peer // nil: not connected
		group   localapi.Group
		err     error
	}
	done struct {
		do
		text  string // for the person, plain
		opens key    // the talk to be opened; zero: none
		link  string // to be shown
		err   error
	}
	// tick is the passing of time.
	tick struct{ now time.Time }
)
