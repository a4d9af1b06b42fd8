package localapi

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// reconnect is how long Wait and Follow stay away from a daemon that does not
// answer.
const reconnect = 100 * time.Millisecond

// Wait returns when the message has come as far as want, can come no further,
// or timeout has passed; the state says which. States are durable and only
// grow, so none is missed, even if the daemon is started anew meanwhile.
func (c *Client) Wait(ctx context.Context, id string, want State, timeout time.Duration) (Message, error) {
	path := "messages/" + segment(id)
	return waitOn(ctx, c, path, string(want), timeout, func(m Message) bool { return m.State.settled(want) })
}

// WaitGroup is Wait for a record of ours in a group.
func (c *Client) WaitGroup(ctx context.Context, group, record string, want GroupState, timeout time.Duration) (GroupSent, error) {
	path := "groups/" + segment(group) + "/records/" + segment(record)
	return waitOn(ctx, c, path, string(want), timeout, func(s GroupSent) bool { return s.State.settled(want) })
}

// waitOn asks, over the daemon's restarts, until settled or the time is over.
func waitOn[T any](ctx context.Context, c *Client, path, want string, timeout time.Duration, settled func(T) bool) (T, error) {
	deadline := time.Now().Add(timeout)
	for {
		left := max(0, time.Until(deadline))
		q := url.Values{"wait": {want}, "timeout": {left.String()}}
		out, err := call[T](ctx, c, "GET", path+"?"+q.Encode(), nil)
		switch {
		case err == nil && (settled(out) || left == 0):
			return out, nil
		case err == nil:
			continue
		case !away(err) || time.Until(deadline) < reconnect:
			return out, err
		}
		select {
		case <-time.After(reconnect):
		case <-ctx.Done():
			return out, ctx.Err()
		}
	}
}

// away says that the daemon may come back.
func away(err error) bool {
	var none *NoDaemonError
	var refused *Error
	return errors.As(err, &none) || errors.As(err, &refused) && refused.Code == CodeStopping
}
