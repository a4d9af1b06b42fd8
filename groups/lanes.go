package groups

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/protocols"
)

// A group takes what comes one by one. So that none can take its time from the
// others, only so much of each member waits for it; then the member's stream is
// not read. All who are no members share one such lane, and each of them may say
// only so much: they have little to say but that they want to come in.
const (
	laneFrames    = 64
	strangerBurst = 30
	strangerEvery = 100 * time.Millisecond
	maxStrangers  = 1024 // whose allowance is remembered
)

// lanes are a room's. Their methods are for any goroutine.
type lanes struct {
	mu        sync.Mutex
	members   map[protocols.Key]chan struct{} // a token for each frame that waits
	others    chan struct{}
	strangers map[protocols.Key]*rate.Limiter
}

func newLanes() *lanes {
	return &lanes{
		members: make(map[protocols.Key]chan struct{}), others: make(chan struct{}, laneFrames),
		strangers: make(map[protocols.Key]*rate.Limiter),
	}
}

// of is the lane of a peer; nil if it has said too much.
func (l *lanes) of(k protocols.Key, member bool) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !member {
		if !l.stranger(k).Allow() {
			return nil
		}
		return l.others
	}
	lane := l.members[k]
	if lane == nil {
		lane = make(chan struct{}, laneFrames)
		l.members[k] = lane
	}
	return lane
}

// spent says whether a stranger has said too much.
func (l *lanes) spent(k protocols.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.strangers[k]
	return a != nil && a.Tokens() < 1
}

func (l *lanes) stranger(k protocols.Key) *rate.Limiter {
	if a := l.strangers[k]; a != nil {
		return a
	}
	if len(l.strangers) >= maxStrangers {
		for old := range l.strangers {
			delete(l.strangers, old)
			break
		}
	}
	a := rate.NewLimiter(rate.Every(strangerEvery), strangerBurst)
	l.strangers[k] = a
	return a
}

// keep forgets the lanes of those who are no members any more. What waits in them
// goes on.
func (l *lanes) keep(members map[protocols.Key]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.members {
		if !members[k] {
			delete(l.members, k)
		}
	}
}
