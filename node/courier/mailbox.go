package courier

import (
	"context"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols/delivery"
)

// input is something the delivery machine is told.
type input func(m *delivery.Machine, now time.Time)

// mailboxLimit is how many inputs that come from peers may wait.
const mailboxLimit = 16 << 10

// mailbox queues inputs for the goroutine that owns the machine. What this node
// caused itself is bounded by its cause (a message in the outbox, a dial under
// way) and put at once; what comes from peers waits for room.
type mailbox struct {
	wake chan struct{} // one waiting says that there is input

	mu    sync.Mutex
	queue []input
	spare []input
	room  chan struct{} // closed when a full queue has been taken
}

func newMailbox() *mailbox {
	return &mailbox{wake: make(chan struct{}, 1)}
}

// put adds an input and never blocks.
func (b *mailbox) put(in input) {
	b.mu.Lock()
	b.queue = append(b.queue, in)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// offer adds an input that came from a peer; it blocks while the queue is full
// and gives up, silently, when ctx ends.
func (b *mailbox) offer(ctx context.Context, in input) {
	for {
		b.mu.Lock()
		if len(b.queue) < mailboxLimit {
			b.mu.Unlock()
			b.put(in)
			return
		}
		if b.room == nil {
			b.room = make(chan struct{})
		}
		room := b.room
		b.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
	}
}

// take empties the queue. The slice is valid until the next take.
func (b *mailbox) take() []input {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.queue
	b.queue, b.spare = b.spare[:0], taken
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
	return taken
}
