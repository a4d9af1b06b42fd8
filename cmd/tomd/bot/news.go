package bot

import (
	"context"
	"sync"

	"github.com/tom-protocol/tom/node/localapi"
)

// hints say where something may have come.
type hints struct {
	inbox, groups, invites bool
	anew                   bool // the daemon was away: all is to be looked at
}

// everything is what to look at after what was not heard of.
var everything = hints{inbox: true, groups: true, invites: true, anew: true}

// news carries hints from who hears of them to who looks.
type news struct {
	wake chan struct{} // holds at most one token: there are hints

	mu    *sync.Mutex // guards the one below
	hints *hints
}

func newNews() news {
	return news{wake: make(chan struct{}, 1), mu: new(sync.Mutex), hints: new(hints)}
}

func (n news) add(change func(*hints)) {
	n.mu.Lock()
	change(n.hints)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n news) take() hints {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := *n.hints
	*n.hints = hints{}
	return h
}

// follow listens for events until ctx ends, over restarts of the daemon.
func (b *bot) follow(ctx context.Context) {
	said := false // that the daemon is away
	b.Client.Follow(ctx, localapi.Follower{
		Begin: func(ctx context.Context) (localapi.Cursor, error) {
			talks, err := b.Client.Talks(ctx)
			if err != nil {
				return 0, err
			}
			b.Tell(Report{What: "ready"})
			said = false
			b.news.add(func(h *hints) { *h = everything })
			return talks.Cursor, nil
		},
		Event: b.heed,
		Away: func(err error) {
			if !said {
				said = true
				b.Tell(Report{What: "away", Reason: err.Error()})
			}
		},
	})
}

func (b *bot) heed(e localapi.Event) {
	switch {
	case e.Gap:
		b.news.add(func(h *hints) { *h = everything })
	case e.Kind == localapi.EventReceived, e.Kind == localapi.EventContact:
		b.news.add(func(h *hints) { h.inbox = true })
	case e.Kind == localapi.EventGroup && e.Group != nil:
		b.news.add(func(h *hints) { h.groups, h.invites = true, h.invites || e.Group.What == localapi.GroupInvited })
	}
}
