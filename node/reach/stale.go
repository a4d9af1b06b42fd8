package reach

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
)

// A router that has started anew, or got another address, gives what goes out
// another port or address from then on, and nothing here changes. Connections to
// public peers survive that, and with them what these peers once saw; all holes
// are punched at an address that is no longer ours. So when punches fail that
// should not, one public peer is dialled again, to look.
const (
	failedPunches = 3               // that are taken for a sign; one circuit makes so many
	lookAgain     = time.Minute     // until the next look, if the last found nothing; doubled each time
	lookSeldom    = 2 * time.Hour   // at most
	lookTime      = 5 * time.Second // one look takes at most
)

// staleness suspects what is known of the own address.
type staleness struct {
	failed  int           // punches that failed in a row
	next    time.Time     // no look before
	wait    time.Duration // after the next that finds nothing
	looking time.Time     // what is seen until then is compared; zero: no look
}

// suspects says that a look is due.
func (l *staleness) suspects(now time.Time) bool {
	return l.failed >= failedPunches && !now.Before(l.next)
}

// begin notes that a look begins.
func (l *staleness) begin(now time.Time) {
	l.wait = min(max(2*l.wait, lookAgain), lookSeldom)
	*l = staleness{next: now.Add(l.wait), wait: l.wait, looking: now.Add(lookTime)}
}

// missed takes in that the peer to look by was gone: the next one is asked.
func (l *staleness) missed() { *l = staleness{failed: failedPunches, wait: l.wait / 2} }

// moved says that what a new connection shows is not what all others of its kind
// do.
func (s sightings) moved(conn string) bool {
	g, ok := s[conn]
	others := 0
	for id, o := range s {
		if id == conn || o.tcp != g.tcp || o.local != g.local || o.seen.Addr().Is6() != g.seen.Addr().Is6() {
			continue
		}
		if o.seen == g.seen {
			return false
		}
		others++
	}
	return ok && others > 0
}

// Trace hears from the host how the punching of holes goes.
func (s *Service) Trace(e *holepunch.Event) {
	logger.Debugw("punching", "peer", e.Remote, "step", e.Type, "how", e.Evt)
	end, ok := e.Evt.(*holepunch.EndHolePunchEvt)
	if !ok {
		return
	}
	s.mu.Lock()
	if end.Success {
		s.stale.failed = 0
	} else {
		s.stale.failed++
	}
	s.mu.Unlock()
	s.nudge()
}

// lookDue dials a public peer again if holes should be punched and are not. It
// takes one of several, so that another's view is there to compare with, a relay
// in use last, and none by which somebody is connected now.
func (s *Service) lookDue(ctx context.Context, now time.Time) {
	s.mu.Lock()
	due := s.stale.suspects(now) && s.host != nil &&
		s.seen.mapping(false, false, s.uplink.Holds) == MappingIndependent
	s.mu.Unlock()
	if !due {
		return
	}
	h := s.hostNow()
	var pick peer.ID
	conns := s.outbound(h)
	for _, c := range conns {
		if c.open && !c.busy && !c.tcp && (pick == "" || !c.relay) {
			pick = c.peer
		}
	}
	if pick == "" || len(conns) < 2 {
		return
	}
	s.mu.Lock()
	s.stale.begin(now)
	s.mu.Unlock()
	s.spawn(func() {
		if s.exchange(ctx, h, pick) == nil {
			return
		}
		s.mu.Lock()
		s.stale.missed()
		s.mu.Unlock()
		s.nudge()
	})
}
