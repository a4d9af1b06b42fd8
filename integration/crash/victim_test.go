package crash

import (
	"context"
	"sync"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// victim is a daemon that is killed and started again.
type victim struct {
	mu sync.Mutex
	d  *proc.Daemon
	up chan struct{} // closed while it runs
}

func newVictim(d *proc.Daemon) *victim {
	v := &victim{d: d, up: make(chan struct{})}
	close(v.up)
	return v
}

// living waits until it runs.
func (v *victim) living(ctx context.Context) (*proc.Daemon, error) {
	for {
		v.mu.Lock()
		d, up := v.d, v.up
		v.mu.Unlock()
		select {
		case <-up:
			return d, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// killAndRestart returns once it answers again, and says how long it was away.
func (v *victim) killAndRestart(ctx context.Context) (away time.Duration, err error) {
	up := make(chan struct{})
	v.mu.Lock()
	v.up = up
	d := v.d
	v.mu.Unlock()

	begin := time.Now()
	d.Kill()
	if d, err = d.Again(ctx); err != nil {
		return 0, err
	}
	v.mu.Lock()
	v.d = d
	v.mu.Unlock()
	close(up)
	return time.Since(begin), nil
}
