package localapi

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// reconnect is how long Wait stays away from a daemon that does not answer.
const reconnect = 200 * time.Millisecond

// Wait returns when the message has come as far as want, can come no further,
// or timeout has passed; the state says which. States are durable and only
// grow, so none is missed, even if the daemon is started anew meanwhile.
func (c *Client) Wait(ctx context.Context, id string, want State, timeout time.Duration) (Message, error) {
	deadline := time.Now().Add(timeout)
	for {
		left := max(0, time.Until(deadline))
		m, err := c.waitOnce(ctx, id, want, left)
		switch {
		case err == nil && (m.State.settled(want) || left == 0):
			return m, nil
		case err == nil:
			continue
		case !away(err) || time.Until(deadline) < reconnect:
			return m, err
		}
		select {
		case <-time.After(reconnect):
		case <-ctx.Done():
			return m, ctx.Err()
		}
	}
}

func (c *Client) waitOnce(ctx context.Context, id string, want State, timeout time.Duration) (Message, error) {
	q := url.Values{"wait": {string(want)}, "timeout": {timeout.String()}}
	return call[Message](ctx, c, "GET", "messages/"+segment(id)+"?"+q.Encode(), nil)
}

// away says that the daemon may come back.
func away(err error) bool {
	var none *NoDaemonError
	var refused *Error
	return errors.As(err, &none) || errors.As(err, &refused) && refused.Code == CodeStopping
}
