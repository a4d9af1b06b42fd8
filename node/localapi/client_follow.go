package localapi

import (
	"context"
	"time"
)

// Follower is what [Client.Follow] calls, one call at a time.
type Follower struct {
	// Begin says after which event to go on, whenever the daemon answers: at first,
	// and each time it is back. Latest would miss what comes before the daemon has
	// heard of it: [TalkList] has a cursor that does not.
	Begin func(ctx context.Context) (Cursor, error)
	// Event takes an event. After one with Gap those may come again that came before.
	Event func(Event)
	// Away is told, at each try, that the daemon does not answer, and why.
	Away func(error)
}

// Follow follows a daemon's events over its restarts, until ctx ends. Events are
// kept for a day, so who is away for less misses none.
func (c *Client) Follow(ctx context.Context, f Follower) {
	for ctx.Err() == nil {
		err := c.followOnce(ctx, f)
		if ctx.Err() != nil {
			return
		}
		f.Away(err)
		select {
		case <-time.After(reconnect):
		case <-ctx.Done():
		}
	}
}

// followOnce follows until the daemon goes.
func (c *Client) followOnce(ctx context.Context, f Follower) error {
	since, err := f.Begin(ctx)
	if err != nil {
		return err
	}
	for e, err := range c.Events(ctx, since) {
		if err != nil {
			return err
		}
		f.Event(e)
	}
	return ctx.Err()
}
