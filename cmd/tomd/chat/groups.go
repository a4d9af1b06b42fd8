package chat

import (
	"fmt"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// groupEvent takes what happened in a group.
func (s *state) groupEvent(e localapi.Event) []any {
	g := e.Group
	s.reload = true
	t := s.talks[key{group: true, id: g.Group}]
	if t == nil {
		return nil
	}
	t.name = named(g.Name, g.Group)
	if g.PeerName != "" {
		s.calls(g.Peer, g.PeerName)
	}
	switch note := s.groupNote(g); {
	case note == "":
	case t.held && !t.newer && g.What != localapi.GroupRemoved:
		s.append(t, line{text: []string{note}, at: e.At.Time})
	default:
		s.tell("%s: %s", t.name, note)
	}
	switch g.What {
	case localapi.GroupMessage:
		if e.Cursor > s.counted {
			t.unread += g.Count
		}
	case localapi.GroupHub:
		t.hub, t.asked = g.Peer, false
	case localapi.GroupOpened:
		if t.held && g.Seq > 0 {
			return []any{loadLog{t.key, g.Seq - 1}}
		}
	case localapi.GroupMoved:
		t.held, t.lines, t.at = false, nil, 0
		return nil
	}
	return s.readLog(t)
}

// groupNote is what there is to say of an event that leaves nothing in the log.
func (s *state) groupNote(g *localapi.GroupEvent) string {
	who := named(g.PeerName, g.Peer)
	if g.Peer == s.me.ID {
		who = s.myName
	}
	switch g.What {
	case localapi.GroupClaimed:
		return "the hub does not answer: this device takes over"
	case localapi.GroupWithdrew:
		return "the hub is back: this device steps aside"
	case localapi.GroupHub:
		return who + " is hub from now on"
	case localapi.GroupMerged:
		return "two halves of the group are one again"
	case localapi.GroupSteppedDown:
		return "this device is hub no more"
	case localapi.GroupMoved:
		return fmt.Sprintf("%d messages stand at another place now", g.Count)
	case localapi.GroupForked:
		return who + " has signed two histories: this is proven"
	case localapi.GroupForged:
		return who + " breaks the rules: " + plain.Line(g.Detail)
	case localapi.GroupClocks:
		return "the clock of this device is wrong, or that of the hub " + who + ": " + plain.Line(g.Detail)
	case localapi.GroupDeaf:
		return "the hub " + who + " does not answer this device: it may not hear it"
	case localapi.GroupDisplaced:
		return who + " is not to be hub again for a day"
	case localapi.GroupDisbelieved:
		return who + " claims to be hub, and is not believed"
	case localapi.GroupTurnedAway:
		return who + " is no member, and is turned away: " + plain.Line(g.Detail)
	case localapi.GroupRemoved:
		return "this device is no member any more"
	case localapi.GroupNotTaken:
		return "refused: " + plain.Line(g.Detail)
	}
	return ""
}
