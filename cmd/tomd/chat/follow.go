package chat

import (
	"context"

	"github.com/tom-protocol/tom/node/localapi"
)

// follow tells of everything that happens, until ctx ends. When the daemon goes
// it says so, and goes on where it was once it is back.
func follow(ctx context.Context, c *localapi.Client, tell func(any)) {
	at := localapi.Latest
	c.Follow(ctx, localapi.Follower{
		Begin: func(ctx context.Context) (localapi.Cursor, error) {
			in, err := fetch(ctx, c)
			if err != nil {
				return 0, err
			}
			tell(in)
			if at == localapi.Latest {
				at = in.talks.Cursor
			}
			return at, nil
		},
		Event: func(e localapi.Event) {
			at = max(at, e.Cursor)
			tell(happened{e})
		},
		Away: func(err error) { tell(away{err}) },
	})
}
