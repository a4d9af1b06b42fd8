package stress

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// comeBack is how long a daemon that does not answer is left alone.
const comeBack = 50 * time.Millisecond

// follow calls fn for each of a daemon's events after since, in order and once,
// over all its restarts, until ctx ends.
func follow(ctx context.Context, client *localapi.Client, since localapi.Cursor, fn func(localapi.Event)) {
	for ctx.Err() == nil {
		for e, err := range client.Events(ctx, since) {
			if err != nil {
				break
			}
			if e.Cursor == 0 || e.Cursor <= since && since != localapi.Latest {
				continue // after a gap what was told before is told again
			}
			since = e.Cursor
			fn(e)
		}
		pause(ctx, comeBack)
	}
}

// newest is the place in a daemon's events from where on only those follow that
// are still to come.
func newest(ctx context.Context, client *localapi.Client) (last localapi.Cursor, err error) {
	for page, err := range client.Inbox(ctx, localapi.InboxQuery{}) {
		if err != nil {
			return 0, err
		}
		last = page.Cursor
	}
	return last, nil
}

// pause waits, or for ctx to end.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// awake waits until a daemon answers.
func awake(ctx context.Context, client *localapi.Client) error {
	for {
		if _, err := client.Identity(ctx); err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		pause(ctx, comeBack)
	}
}
