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
	client.Follow(ctx, localapi.Follower{
		Begin: func(context.Context) (localapi.Cursor, error) { return since, nil },
		Event: func(e localapi.Event) {
			if e.Cursor > since { // after a gap what was told before is told again
				since = e.Cursor
				fn(e)
			}
		},
		Away: func(error) {},
	})
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
