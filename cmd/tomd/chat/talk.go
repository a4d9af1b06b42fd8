package chat

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// key names a talk: with a person, or in a group.
type key struct {
	group bool
	id    string
}

// Bounds of what is kept in memory.
const (
	maxLines   = 400 // of one talk
	pageLines  = 64  // read at once
	maxHistory = 100 // texts of one talk to be written once more
	maxHeld    = 12  // talks whose lines are kept
	maxTalks   = 512 // in the list
)

// talk is what is known of a talk.
type talk struct {
	key
	name     string // plain; never empty
	stranger bool
	muted    bool
	presence localapi.State // of a person
	unread   int
	hub      string // of a group: peer id
	members  int
	asked    bool   // its members were asked for, or are known
	read     uint64 // of a group: up to where it is read here

	lines   []line          // in order of time
	held    bool            // lines have been asked for
	loading bool            // and are on their way
	failed  bool            // and did not come
	stale   bool            // and must be asked for once more then
	before  localapi.Cursor // where the page before the first line ends, a seq in a group
	more    bool            // there is such a page
	newer   bool            // the newest lines are not among lines
	at      uint64          // of a group: seq of the newest record read
	scroll  int             // rows below the window

	text    editor   // not sent yet
	history []string // sent from here, the newest last
	back    int      // how far back in history the editor stands
	queue   []*draft // to be given to the daemon, in order
	used    int      // when the talk was last open, by a count
}

// draft is a text on its way to the daemon.
type draft struct {
	text  string
	at    time.Time
	tried bool            // it was given to the daemon
	lost  bool            // which went away before it answered: it may have it
	known map[string]bool // own lines there were before
}

// line is a line of a talk: something said, or a note.
type line struct {
	id     string // of the message or record
	cursor localapi.Cursor
	from   string // peer id; empty: a note
	own    bool
	name   string   // plain
	text   []string // plain
	cut    int      // bytes that are too many to be shown
	at     time.Time
	end    time.Time // zero: with the program
	unread bool

	state   localapi.State      // of an own message to a person
	holders int                 //
	reason  string              // why it is not further
	sent    *localapi.GroupSent // of an own message to a group
}

// settled says that how an own line stands changes no more.
func (l *line) settled() bool {
	if l.sent != nil {
		return l.sent.State == localapi.GroupRefused || l.sent.Members > 0 && l.sent.Read >= l.sent.Members
	}
	return l.state == localapi.Read || l.state == localapi.Expired || l.state == localapi.Failed
}

// add puts lines in their place, and drops what is there already. What is over
// the bound goes at the far end from where the lines were added.
func (t *talk) add(older bool, lines ...line) {
	for _, l := range lines {
		if i := slices.IndexFunc(t.lines, func(x line) bool { return l.same(&x) }); i >= 0 {
			l.unread = l.unread && t.lines[i].unread
			if known := t.lines[i]; l.own && l.sent == nil && !isNews(known.state, l.state) { // a page read before that
				known.cursor, known.at = l.cursor, l.at
				l = known
			}
			if l.cursor == t.lines[i].cursor { // its place is the same
				t.lines[i] = l
				continue
			}
			t.lines = slices.Delete(t.lines, i, i+1)
		}
		t.lines = slices.Insert(t.lines, t.place(&l), l)
	}
	switch over := len(t.lines) - maxLines; {
	case over > 0 && older:
		t.lines, t.newer = t.lines[:maxLines], true
	case over > 0:
		t.lines, t.more = slices.Delete(t.lines, 0, over), true
		for i := maxLines - 1; i >= 0; i-- {
			t.before = cmp.Or(t.lines[i].cursor, t.before)
		}
	}
}

// place is where a line belongs: with a person by the time here, in a group as
// the log has it, with what is not in the log yet at the end.
func (t *talk) place(l *line) int {
	later := func(x line) bool { return x.at.After(l.at) }
	if t.group {
		later = func(x line) bool {
			return l.cursor > 0 && (x.cursor > l.cursor || x.cursor == 0 && x.own)
		}
	}
	if i := slices.IndexFunc(t.lines, later); i >= 0 {
		return i
	}
	return len(t.lines)
}

func (l *line) same(x *line) bool {
	return l.from != "" && l.own == x.own && l.id == x.id && (l.own || l.cursor == x.cursor)
}

// find is the own line of a message.
func (t *talk) find(id string) *line {
	for i := range t.lines {
		if t.lines[i].own && t.lines[i].id == id {
			return &t.lines[i]
		}
	}
	return nil
}

// expire drops what has ended. A message of ours that nobody signed for leaves a
// word.
func (t *talk) expire(now time.Time) {
	t.lines = slices.DeleteFunc(t.lines, func(l line) bool {
		return !l.end.IsZero() && !now.Before(l.end) && (!l.own || l.sent != nil || l.state.Reached(localapi.Delivered))
	})
	for i := range t.lines {
		if l := &t.lines[i]; !l.end.IsZero() && !now.Before(l.end) {
			l.endUnsigned()
		}
	}
}

// endUnsigned leaves of a message what may be known of it after its end.
func (l *line) endUnsigned() {
	l.state, l.text, l.cut, l.end = localapi.Expired, []string{"(ended: nobody has signed for it)"}, 0, time.Time{}
}

// forget drops the lines of a talk that was not looked at for long.
func (t *talk) forget() {
	t.lines, t.held, t.more, t.newer, t.before, t.at, t.scroll = nil, false, false, false, 0, 0, 0
}

// remember keeps a sent text for the keys up and down.
func (t *talk) remember(text string) {
	t.history = slices.DeleteFunc(t.history, func(s string) bool { return s == text })
	t.history = append(t.history, text)
	if n := len(t.history) - maxHistory; n > 0 {
		t.history = t.history[n:]
	}
	t.back = 0
}

// recall puts an earlier text, or a later one, into the editor.
func (t *talk) recall(by int) {
	back := t.back + by
	if back < 0 || back > len(t.history) {
		return
	}
	if t.back == 0 && strings.TrimSpace(t.text.text) != "" {
		t.remember(t.text.text) // what was begun is not lost
		back++
	}
	t.back = min(back, len(t.history))
	if t.back == 0 {
		t.text = editor{}
		return
	}
	t.text.set(t.history[len(t.history)-t.back])
}
