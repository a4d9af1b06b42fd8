package chat

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// again is how long to stay away from a daemon that does not answer.
const again = 250 * time.Millisecond

// follow tells of everything that happens, until ctx ends. When the daemon goes
// it says so, and goes on where it was once it is back: events are kept for a
// day, so none is missed.
func follow(ctx context.Context, c *localapi.Client, tell func(any)) {
	at := localapi.Latest
	for ctx.Err() == nil {
		in, err := fetch(ctx, c)
		if err == nil {
			tell(in)
			if at == localapi.Latest {
				at = in.talks.Cursor
			}
			at, err = events(ctx, c, at, tell)
		}
		if ctx.Err() != nil {
			return
		}
		tell(away{err})
		wait := time.NewTimer(again)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
	}
}

// events tells the events after a cursor until there are no more to be had, and
// returns the cursor of the last.
func events(ctx context.Context, c *localapi.Client, at localapi.Cursor, tell func(any)) (localapi.Cursor, error) {
	for e, err := range c.Events(ctx, at) {
		if err != nil {
			return at, err
		}
		at = max(at, e.Cursor)
		tell(happened{e})
	}
	return at, ctx.Err()
}
