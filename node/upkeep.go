package node

import (
	"context"
	"time"
)

// upkeepInterval is how late, at most, something is destroyed after its end.
const upkeepInterval = 20 * time.Second

// upkeep destroys what is over its end and keeps keys fresh, until ctx ends.
func (n *Node) upkeep(ctx context.Context) error {
	tick := time.NewTicker(upkeepInterval)
	defer tick.Stop()
	for {
		n.expire()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// expire does nothing while the clock is in doubt. Errors of the disk are
// logged, for the next round tries again.
func (n *Node) expire() {
	if !n.clock.Destroying() {
		logger.Warnw("the clock leapt ahead; nothing is destroyed until two peers agree with it")
		return
	}
	now := n.clock.Now()
	destroyed, changed, err := n.vault.Rotate(now)
	n.courier.Forget(destroyed, changed)
	warn("rotate prekeys", err)
	warn("expire messages", n.store.Expire(now))
	warn("destroy shred keys", n.vault.Expire(now))
	warn("keep the time", n.vault.TouchTime(now))
}

func warn(what string, err error) {
	if err != nil {
		logger.Errorw("upkeep", "step", what, "err", err)
	}
}
