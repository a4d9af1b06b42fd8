package courier

import (
	"context"
	"errors"
	"sync"

	"github.com/tom-protocol/tom/protocols/envelope"
)

// ErrNamed is returned for an id that another message of this node has.
var ErrNamed = errors.New("the id belongs to another message")

// naming has those who send under the same id wait for each other. The zero value
// works.
type naming struct {
	mu   sync.Mutex
	busy map[envelope.ID]chan struct{} // closed when the one at it is done
}

// enter waits until nobody else is at id. The caller calls leave.
func (n *naming) enter(ctx context.Context, id envelope.ID) (leave func(), err error) {
	for {
		n.mu.Lock()
		other, taken := n.busy[id]
		if !taken {
			break
		}
		n.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer n.mu.Unlock()
	if n.busy == nil {
		n.busy = make(map[envelope.ID]chan struct{})
	}
	done := make(chan struct{})
	n.busy[id] = done
	return func() {
		n.mu.Lock()
		delete(n.busy, id)
		n.mu.Unlock()
		close(done)
	}, nil
}

// acceptOnce accepts a draft under the id that its sender chose, unless a message
// of that id was accepted before: then that one is meant.
func (c *Courier) acceptOnce(ctx context.Context, d Draft) (envelope.ID, error) {
	leave, err := c.naming.enter(ctx, d.ID)
	if err != nil {
		return envelope.ID{}, ErrBusy
	}
	defer leave()
	known, err := c.Trace(ctx, d.ID)
	switch {
	case errors.Is(err, ErrUnknown):
		return c.accept(ctx, d, false)
	case err != nil:
		return envelope.ID{}, err
	case known.To != d.To:
		return envelope.ID{}, ErrNamed
	}
	return d.ID, nil
}
