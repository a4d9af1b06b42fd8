package links

import (
	"time"
)

// State says whether a peer can be reached.
type State uint8

// The states of a peer.
const (
	Offline State = iota // it has not been connected for a while, or never
	Stale                // its last connection ended just now: it may come back
	Online               // it is connected
)

// String returns the word for users.
func (s State) String() string {
	switch s {
	case Online:
		return "online"
	case Stale:
		return "stale"
	}
	return "offline"
}

const (
	// staleFor is how long a peer may take to come back before it is offline.
	staleFor = 30 * time.Second

	// maxStandings bounds of how many peers that have left the state is kept.
	maxStandings = 4096
)

// standing is the state of a friend. Links.mu guards it.
type standing struct {
	state State
	at    time.Time // since when, by Config.Now
	seen  time.Time // the last sign of life before it left, by Config.Now
	fade  task      // from stale to offline
}

// change is what the handler hears of a state.
type change struct {
	peer  Peer
	state State
	at    time.Time
}

// stand notes the state of a friend and has the handler told. l.mu is held.
func (l *Links) stand(n *neighbour, s State) {
	if !n.friend {
		return
	}
	st := l.standings[n.key]
	if st == nil {
		if len(l.standings) >= maxStandings && !l.dropStanding() {
			return
		}
		st = new(standing)
		st.fade.run = func(time.Time) func() {
			l.change(n.key, st, Offline)
			return nil
		}
		l.standings[n.key] = st
	}
	if s == st.state {
		return
	}
	fade := time.Time{}
	if s == Stale {
		now := time.Now()
		fade = now.Add(staleFor)
		st.seen = l.cfg.Now().Add(n.used.life.last().Sub(now))
	}
	l.plan(&st.fade, fade)
	l.change(n.key, st, s)
}

func (l *Links) change(p Peer, st *standing, s State) {
	st.state, st.at = s, l.cfg.Now()
	l.changes = append(l.changes, change{p, s, st.at})
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// dropStanding makes room by forgetting a peer that is offline.
func (l *Links) dropStanding() bool {
	for p, st := range l.standings {
		if st.state == Offline {
			delete(l.standings, p)
			return true
		}
	}
	return false
}

// StateOf says how a friend stands, since when, and when it last gave a sign of
// life; zero times: not since this node runs.
func (l *Links) StateOf(p Peer) (s State, since, seen time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.standings[p]
	if st == nil {
		return Offline, time.Time{}, time.Time{}
	}
	if st.state == Online {
		return Online, st.at, l.cfg.Now()
	}
	return st.state, st.at, st.seen
}
