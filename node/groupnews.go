package node

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
)

// maxGroupNews bounds the events of groups that wait for the disk. When it is
// slower than they come, messages that wait become one event each group, and of
// the others the newest are left out: the log of the group has it all.
const maxGroupNews = 1024

// groupNews takes events of groups to the log of events, beside the groups.
type groupNews struct {
	write func(notes [][]byte) error
	wake  chan struct{} // holds at most one token: list is not empty

	mu   sync.Mutex
	list []groups.Event
}

func newGroupNews(write func([][]byte) error) *groupNews {
	return &groupNews{write: write, wake: make(chan struct{}, 1)}
}

// note takes in an event. It does not block.
func (g *groupNews) note(e groups.Event) {
	g.mu.Lock()
	g.add(e)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// add appends an event, or makes one of those of messages that follow each other.
func (g *groupNews) add(e groups.Event) {
	if n := len(g.list); n > 0 && e.What == groups.Messages {
		if last := &g.list[n-1]; last.What == groups.Messages && last.Group == e.Group {
			e.Count += last.Count
			*last = e
			return
		}
	}
	if len(g.list) < maxGroupNews {
		g.list = append(g.list, e)
	}
}

// run writes events until ctx ends.
func (g *groupNews) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.wake:
		}
		g.mu.Lock()
		list := g.list
		g.list = nil
		g.mu.Unlock()
		notes := make([][]byte, 0, len(list))
		for _, e := range list {
			notes = append(notes, packGroupEvent(e))
		}
		warn("note what happened in groups", g.write(notes))
	}
}

// groupNote is an event of a group as it goes to disk.
type groupNote struct {
	G  []byte      `json:"g"`
	N  string      `json:"n,omitempty"`
	W  groups.What `json:"w"`
	P  []byte      `json:"p,omitempty"`
	PN string      `json:"pn,omitempty"`
	B  []byte      `json:"b,omitempty"`
	T  wire.Number `json:"t,omitempty"`
	S  wire.Seq    `json:"s,omitempty"`
	R  []byte      `json:"r,omitempty"`
	C  int         `json:"c,omitempty"`
	D  string      `json:"d,omitempty"`
}

func packGroupEvent(e groups.Event) []byte {
	n := groupNote{G: e.Group[:], N: e.Name, W: e.What, PN: e.PeerName, T: e.Number, S: e.Seq, C: e.Count, D: e.Detail}
	if e.Peer != (Peer{}) {
		n.P = e.Peer[:]
	}
	if e.By != (Peer{}) {
		n.B = e.By[:]
	}
	if e.Record != (wire.RecordID{}) {
		n.R = e.Record[:]
	}
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // the type is ours
	}
	return b
}

func parseGroupEvent(b []byte) (e groups.Event, ok bool) {
	var n groupNote
	if json.Unmarshal(b, &n) != nil {
		return e, false
	}
	e = groups.Event{Name: n.N, What: n.W, PeerName: n.PN, Number: n.T, Seq: n.S, Count: n.C, Detail: n.D}
	copy(e.Group[:], n.G)
	copy(e.Peer[:], n.P)
	copy(e.By[:], n.B)
	copy(e.Record[:], n.R)
	return e, true
}
