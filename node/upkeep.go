package node

import (
	"context"
	"time"
)

// upkeepInterval is how late, at most, something is destroyed after its end.
const upkeepInterval = 20 * time.Second

// trimInterval is how long connections beyond those that the connection manager
// goes back to may stay: a lookup leaves some behind, each costs both ends
// memory and packets, and the manager itself waits until there are far more.
const trimInterval = 5 * time.Minute

// upkeep destroys what is over its end, keeps keys fresh, notes who is up and lets
// go of connections that serve nobody, until ctx ends.
func (n *Node) upkeep(ctx context.Context) error {
	tick := time.NewTicker(upkeepInterval)
	defer tick.Stop()
	trim := time.NewTicker(trimInterval)
	defer trim.Stop()
	sight := time.NewTicker(sightInterval)
	defer sight.Stop()
	for {
		n.expire()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-sight.C:
			n.sight()
		case <-trim.C:
			n.host.ConnManager().TrimOpenConns(ctx)
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
