package discovery

import (
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// How long peers are up, as far as this node has noticed.
const (
	uptimeHalfLife = 72 * time.Hour   // in which time seen up counts for half
	connectedGap   = 15 * time.Minute // between two signs of life over connections, for the time between to count
	announcedGap   = 45 * time.Minute // same, of what a peer lets everybody know
	maxAnnounced   = 6 * time.Hour    // that count of what is only announced: a claim
)

// uptime is for how long a peer has been seen up, lately more than long ago. It
// survives restarts of this node and absences of the peer.
type uptime struct {
	Connected time.Duration `json:"connected,omitzero"` // this node has seen it itself
	Announced time.Duration `json:"announced,omitzero"` // the peer has said so, signed
	Last      time.Time     `json:"last,omitzero"`      // newest sign of life
}

// faded is what is left of it at a later time.
func (u uptime) faded(now time.Time) uptime {
	age := now.Sub(u.Last)
	if age <= 0 {
		return u // a clock set back gives nobody credit
	}
	left := math.Exp2(-age.Hours() / uptimeHalfLife.Hours())
	u.Connected = time.Duration(float64(u.Connected) * left)
	u.Announced = time.Duration(float64(u.Announced) * left)
	return u
}

// seen takes in a sign of life.
func (u uptime) seen(at time.Time, connected bool) uptime {
	if !at.After(u.Last) {
		return u
	}
	between := at.Sub(u.Last)
	u = u.faded(at)
	switch {
	case connected && between <= connectedGap:
		u.Connected += between
	case !connected && between <= announcedGap:
		u.Announced = min(u.Announced+between, maxAnnounced)
	}
	u.Last = at
	return u
}

// sound holds what came from a disk to what this package would have written.
func (u uptime) sound(now time.Time) uptime {
	const most = 2 * uptimeHalfLife // more than the sum of all that fades
	if u.Last.After(now) {
		u.Last = now
	}
	u.Connected = min(max(u.Connected, 0), most)
	u.Announced = min(max(u.Announced, 0), maxAnnounced)
	return u
}

// Saw notes a sign of life of a peer that was met: over a connection, or, which
// counts for less, in a presence that it has made at that time.
func (c *Cache) Saw(id peer.ID, at time.Time, connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, met := c.met[id]
	if !met {
		return
	}
	if up := e.Up.seen(at.UTC().Truncate(time.Second), connected); up != e.Up {
		e.Up = up
		c.met[id], c.dirty = e, true
	}
}

// Uptime is for how long a peer has been up lately, as far as this node has
// noticed: of the last three days about half of the time seen, and so on back.
func (c *Cache) Uptime(id peer.ID, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.met[id].Up.faded(now)
	return u.Connected + u.Announced
}
