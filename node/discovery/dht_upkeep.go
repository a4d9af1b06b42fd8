package discovery

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
)

// Timing of what a node does for its place in the DHT. All of it is spread at
// random, one lookup at a time: the automatic refresh of kad-dht connects
// everybody to everybody.
const (
	settle       = time.Second      // after the first neighbour, for the others to come
	selfEvery    = 20 * time.Minute // a lookup of ourselves: whoever is nearest knows where we are, for longer than that
	bucketSpace  = 5 * time.Second  // between lookups that fill a bucket, at first
	bucketEvery  = time.Hour        // later: whoever comes by, and all other lookups, fill them too
	prekeysEvery = 6 * time.Hour    // holders come and go
	rolesEvery   = time.Hour        // so that holders always know where we are
	retryPublish = time.Minute      // after it went wrong
	newsPatience = 30 * time.Second // until news of ourselves are looked at
	alone        = time.Minute      // between looks for somebody to talk to
	minStep      = time.Second / 2  // between any two steps
)

// dhtUpkeep is what is due, and when.
type dhtUpkeep struct {
	d   *DHT
	kad *dht.IpfsDHT

	joined  bool      // there has been somebody to talk to
	stepped time.Time // last
	check   time.Time // news are looked at; zero: there are none
	self    time.Time
	bucket  time.Time
	cpl     uint // the bucket that is next
	prekeys publication
	roles   publication
}

// publication is when something was published, and what.
type publication struct {
	next time.Time
	what []byte
}

func newDHTUpkeep(d *DHT, kad *dht.IpfsDHT) *dhtUpkeep { return &dhtUpkeep{d: d, kad: kad} }

// around is a time near d from now on.
func around(d time.Duration) time.Time { return time.Now().Add(d*3/4 + rand.N(d/2+1)) }

func (u *dhtUpkeep) run(ctx context.Context) {
	wake := time.NewTimer(settle)
	defer wake.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.d.again:
			switch {
			case u.joined && u.d.urgent():
				u.check = time.Now()
			case u.check.IsZero(): // there are many events, and few of them change anything
				u.check = time.Now().Add(u.patience())
			}
		case <-wake.C:
			u.check = time.Time{}
			u.step(ctx)
			u.stepped = time.Now()
		}
		next := u.due()
		if soonest := u.stepped.Add(minStep); next.Before(soonest) {
			next = soonest
		}
		wake.Reset(time.Until(next))
	}
}

// patience is how long news may wait.
func (u *dhtUpkeep) patience() time.Duration {
	if u.joined {
		return newsPatience
	}
	return settle
}

func (u *dhtUpkeep) due() time.Time {
	first := time.Now().Add(alone) // or somebody comes, before that
	dues := []time.Time{u.check}
	if u.joined {
		dues = append(dues, u.self, u.bucket, u.prekeys.next, u.roles.next)
	}
	for _, t := range dues {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// step does what is due.
func (u *dhtUpkeep) step(ctx context.Context) {
	now := time.Now()
	if u.kad.RoutingTable().Size() == 0 {
		u.joined = false
		return
	}
	if u.d.moved.Swap(false) {
		u.self = now
	}
	if !u.joined {
		u.joined = true
		u.self, u.bucket, u.cpl = now, around(bucketSpace), 0
		u.prekeys, u.roles = publication{next: now}, publication{next: now}
	}
	if !now.Before(u.self) {
		u.self = around(selfEvery)
		u.lookUp(ctx, string(u.d.cfg.Host.ID()))
	}
	if !now.Before(u.bucket) {
		u.fill(ctx)
	}
	u.d.lookForOffers(ctx)
	u.publish(ctx)
}

func (u *dhtUpkeep) lookUp(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	begun := time.Now()
	_, err := u.kad.GetClosestPeers(ctx, key)
	u.d.count.looked("refresh", err, time.Since(begun))
}

// fill looks for peers of one bucket: after joining of each that is not full,
// one after the other, later of one now and then.
func (u *dhtUpkeep) fill(ctx context.Context) {
	table := u.kad.RoutingTable()
	last := uint(len(table.GetTrackedCplsForRefresh()))
	for u.cpl < last && table.NPeersForCpl(u.cpl) >= dhtBucket/2 {
		u.cpl++
	}
	cpl := u.cpl
	u.cpl++
	u.bucket = around(bucketSpace)
	if cpl >= last { // the first round is over
		u.bucket = around(bucketEvery)
		if last == 0 {
			return
		}
		cpl = uint(rand.IntN(int(last)))
	}
	if id, err := table.GenRandPeerID(cpl); err == nil {
		u.lookUp(ctx, string(id))
	}
}

// publish leaves with others what is due or has changed.
func (u *dhtUpkeep) publish(ctx context.Context) {
	if get := u.d.cfg.Prekeys; get != nil {
		u.prekeys.keep(get(), prekeysEvery, func(b []byte) error {
			return u.d.publishPrekeys(ctx, u.kad, b)
		})
	} else {
		u.prekeys.next = around(prekeysEvery)
	}
	if get := u.d.cfg.Roles; get != nil {
		u.roles.keep(get(), rolesEvery, func(roles []byte) (err error) {
			for _, r := range roles {
				if e := u.d.Provide(ctx, RoleDigest(r)); e != nil {
					err = e
				}
			}
			return err
		})
	} else {
		u.roles.next = around(rolesEvery)
	}
}

// keep publishes what if it has changed, or is due again.
func (p *publication) keep(what []byte, every time.Duration, publish func([]byte) error) {
	if time.Now().Before(p.next) && bytes.Equal(what, p.what) {
		return
	}
	p.next, p.what = around(every), bytes.Clone(what)
	if len(what) == 0 {
		return
	}
	if err := publish(what); err != nil {
		logger.Debugw("not published", "err", err)
		p.next = around(retryPublish)
	}
}
