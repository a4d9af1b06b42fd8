package seat

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A member whom the hub brings nothing asks others for the log. This node brings a page
// to a few of them in a second, and to none two.
const (
	maxBring   = 8
	bringEvery = time.Second
)

// bringing is to whom it did.
type bringing struct {
	since time.Time
	to    []protocols.Key
}

// bring brings one what the hub has signed of the log behind a place, if that is the
// same here. What has a number is asked of a hub.
func (s *Seat) bring(now time.Time, to protocols.Key, f *wire.Sync) {
	b := &s.bringing
	if now.Sub(b.since) >= bringEvery {
		*b = bringing{since: now}
	}
	if f.N != 0 || len(b.to) >= maxBring || slices.Contains(b.to, to) || !s.ledger.Fold().Hears(to) {
		return
	}
	if page := s.member.Page(f.From, f.Log); page != nil {
		b.to = append(b.to, to)
		s.send(to, page)
	}
}
