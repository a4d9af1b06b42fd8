package groups

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A group takes what comes one by one. So that none can take its time, or its memory,
// from the others, only so much of each member waits for it; then the member's stream
// is not read. All who are no members share one such lane, and each of them may say
// only so much: they have little to say but that they want to come in.
const (
	laneTokens    = 64
	tokenBytes    = 32 << 10 // of what a frame holds, for one token
	strangerBurst = 30
	strangerEvery = 100 * time.Millisecond
	maxStrangers  = 1024 // whose allowance is remembered
)

// lane is what waits of one member, or of all others together.
type lane struct {
	turn   chan struct{} // to take several tokens: two that have half of theirs would wait for each other
	tokens chan struct{} // those that are taken
}

func newLane() *lane {
	return &lane{turn: make(chan struct{}, 1), tokens: make(chan struct{}, laneTokens)}
}

// enter waits until there are so many tokens, at most laneTokens, and takes them.
// False says that the room has closed.
func (l *lane) enter(closed <-chan struct{}, n int) bool {
	if n > 1 {
		select {
		case l.turn <- struct{}{}:
			defer func() { <-l.turn }()
		case <-closed:
			return false
		}
	}
	for range n {
		select {
		case l.tokens <- struct{}{}:
		case <-closed:
			return false
		}
	}
	return true
}

func (l *lane) leave(n int) {
	for range n {
		<-l.tokens
	}
}

// recordBytes is about what a record takes besides its bytes.
const recordBytes = 512

// weight is how many tokens a frame takes. What came in few bytes may be much: of the
// records of a part each has its own proof.
func weight(f wire.Frame) int {
	size := 0
	switch f := f.(type) {
	case *wire.Publish:
		size = sizeOf(f.Records)
	case *wire.Records:
		size = sizeOf(f.Entries)
	case *wire.Receipts:
		size = sizeOf(f.Receipts)
	case *wire.HubRecordFrame:
		size = len(f.Evidence) * recordBytes
	}
	return min(1+size/tokenBytes, laneTokens)
}

func sizeOf(list [][]byte) (size int) {
	for _, b := range list {
		size += len(b) + recordBytes
	}
	return size
}

// lanes are a room's. Their methods are for any goroutine.
type lanes struct {
	mu        sync.Mutex
	members   map[protocols.Key]*lane
	others    *lane
	strangers map[protocols.Key]*rate.Limiter
}

func newLanes() *lanes {
	return &lanes{
		members: make(map[protocols.Key]*lane), others: newLane(),
		strangers: make(map[protocols.Key]*rate.Limiter),
	}
}

// of is the lane of a peer; nil if it has said too much.
func (l *lanes) of(k protocols.Key, member bool) *lane {
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
		lane = newLane()
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
