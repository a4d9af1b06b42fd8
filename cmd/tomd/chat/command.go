package chat

import (
	"strings"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
)

// command is something to be typed.
type command struct {
	name, args, help string
	run              func(s *state, t *talk, arg string) []any
}

// commands is filled by init, as some of them show the list.
var commands []command

func init() {
	commands = []command{
		{"add", "LINK [NAME]", "make a contact of a link or peer id", func(_ *state, _ *talk, arg string) []any {
			target, name, _ := strings.Cut(arg, " ")
			return order1(orderAdd, target, strings.TrimSpace(name))
		}},
		{"name", "NAME", "call this person, or this group, NAME", func(_ *state, t *talk, arg string) []any {
			return []any{do{what: orderName, key: t.key, arg: arg}}
		}},
		{"create", "NAME", "found a group", func(_ *state, _ *talk, arg string) []any { return order1(orderCreate, arg, "") }},
		{"join", "LINK|GROUP", "join by a link, or an invitation that came", func(_ *state, _ *talk, arg string) []any {
			return order1(orderJoin, arg, "")
		}},
		{"invite", "[PEER]", "into this group: a contact, or whoever gets the link", invite},
		{"mute", "", "hear no more of this person; /unmute", func(_ *state, t *talk, _ string) []any { return onPerson(orderMute, t) }},
		{"unmute", "", "", func(_ *state, t *talk, _ string) []any { return onPerson(orderUnmute, t) }},
		{"forget", "", "remove this contact", func(_ *state, t *talk, _ string) []any { return onPerson(orderForget, t) }},
		{"leave", "", "leave this group", func(_ *state, t *talk, _ string) []any { return onGroup(orderLeave, t) }},
		{"help", "", "", func(s *state, _ *talk, _ string) []any { return s.flip(helping) }},
		{"link", "", "", func(s *state, _ *talk, _ string) []any { return s.flip(linking) }},
		{"about", "", "", func(s *state, _ *talk, _ string) []any { return s.flip(knowing) }},
		{"trace", "", "", func(s *state, _ *talk, _ string) []any { return s.flip(tracing) }},
		{"quit", "", "end", func(s *state, _ *talk, _ string) []any { return s.quit() }},
	}
}

func order1(what order, arg, arg2 string) []any { return []any{do{what: what, arg: arg, arg2: arg2}} }

func onPerson(what order, t *talk) []any {
	if t.group {
		return []any{notice("that is for a person, and this is a group")}
	}
	return []any{do{what: what, key: t.key}}
}

func onGroup(what order, t *talk) []any {
	if !t.group {
		return []any{notice("that is for a group, and this is a person")}
	}
	return []any{do{what: what, key: t.key}}
}

func invite(s *state, t *talk, arg string) []any {
	todo := onGroup(orderInvite, t)
	if d, ok := todo[0].(do); ok {
		d.arg = s.person(arg)
		todo[0] = d
	}
	return todo
}

// person is the id of the one who is shown under a name; else the name itself, for
// the daemon to look at.
func (s *state) person(name string) string {
	id := name
	for k, t := range s.talks {
		switch {
		case k.group || t.name != name:
		case id != name:
			return name // several are: names are claims
		default:
			id = k.id
		}
	}
	return id
}

// notice is for the person, and nothing to be done.
type notice string

// command does what a line that begins with / says.
func (s *state) command(t *talk, text string) (todo []any) {
	name, arg, _ := strings.Cut(text[1:], " ")
	arg = strings.TrimSpace(arg)
	for _, c := range commands {
		if c.name != name {
			continue
		}
		needs := c.args != "" && !strings.HasPrefix(c.args, "[")
		switch {
		case needs && arg == "":
			s.tell("/%s needs %s", name, c.args)
			return nil
		case c.args == "" && arg != "":
			s.tell("/%s takes nothing behind it", name)
			return nil
		case s.gone && name != "quit":
			s.tell("the daemon is away: /%s can be done when it is back", name)
			return nil
		}
		for _, x := range c.run(s, t, arg) {
			if n, ok := x.(notice); ok {
				s.tell("%s", string(n))
				continue
			}
			todo = append(todo, x)
		}
		return todo
	}
	s.tell("there is no /%s, and nothing was sent: F1 lists the commands; // begins a text with /", plain.Line(name))
	return nil
}
