package courier

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// Draft is a message to send.
type Draft struct {
	ID             envelope.ID // a UUIDv7 of the sender's choice: sent again, it is sent once; zero: a new one
	To             protocols.Key
	Type           string        // content type, at most 128 bytes
	Body           []byte        // not changed, not kept after Send returns
	Lifetime       time.Duration // at most 24 h, which zero stands for
	DemandsSecrecy bool          // fail rather than seal to the identity key
	Keep           bool          // keep the content here until its end, for Talk

	byRelays bool // what it answers came by relays
}

// Errors of Send. A body that is too large is refused with [*TooLarge].
var (
	ErrSelf     = errors.New("the recipient is this node itself")
	ErrLifetime = errors.New("a lifetime is at least a second and at most 24 hours")
	ErrType     = errors.New("a content type is 1 to 128 bytes of UTF-8")
	ErrReserved = errors.New("content types that begin with tom/ belong to the protocol")
	ErrBusy     = errors.New("the outbox is full")
	ErrStopped  = errors.New("the node is not running")
)

// TooLarge says by how much a body is over the limit.
type TooLarge struct{ Size, Limit int } // bytes

func (e *TooLarge) Error() string {
	return fmt.Sprintf("the message has %d bytes and the limit is %d", e.Size, e.Limit)
}

// acceptance is a message on its way to the disk.
type acceptance struct {
	row      store.Outgoing
	sealed   *envelope.Envelope // nil if no prekey is at hand yet
	frame    []byte             // sealed, encoded and signed
	byRelays bool               // what it answers came by relays
	taken    hold               // of the room in the outbox
	msg      delivery.Message
	done     chan error
}

// Send accepts a message: when it returns an id, the message is on disk and
// will be tried until its recipient has signed for it or its lifetime ends.
// While the outbox is full it waits, and returns ErrBusy when ctx ends.
func (c *Courier) Send(ctx context.Context, d Draft) (envelope.ID, error) {
	if err := c.check(&d); err != nil {
		return envelope.ID{}, err
	}
	if d.ID != (envelope.ID{}) {
		return c.acceptOnce(ctx, d)
	}
	return c.accept(ctx, d, false)
}

// SendOwn is Send for a message of the protocol's own.
func (c *Courier) SendOwn(ctx context.Context, d Draft) (envelope.ID, error) {
	if !ours(d.Type) || d.Type == message.TypeReceipts {
		return envelope.ID{}, ErrType
	}
	if err := c.checkRest(&d); err != nil {
		return envelope.ID{}, err
	}
	return c.accept(ctx, d, false)
}

// ours says that a content type belongs to the protocol.
func ours(contentType string) bool { return strings.HasPrefix(contentType, "tom/") }

func (c *Courier) check(d *Draft) error {
	switch {
	case d.To == c.me:
		return ErrSelf
	case d.Type == "" || message.CheckType(d.Type) != nil:
		return ErrType
	case ours(d.Type):
		return ErrReserved
	}
	return c.checkRest(d)
}

func (c *Courier) checkRest(d *Draft) error {
	if d.To == c.me {
		return ErrSelf
	}
	if d.Lifetime == 0 {
		d.Lifetime = envelope.MaxLifetime
	}
	if d.Lifetime < time.Second || d.Lifetime > envelope.MaxLifetime {
		return ErrLifetime
	}
	if limit := message.MaxBody(len(d.Type)); len(d.Body) > limit {
		return &TooLarge{Size: len(d.Body), Limit: limit}
	}
	return nil
}

// accept takes a checked draft through sealing and signing to the disk.
func (c *Courier) accept(ctx context.Context, d Draft, control bool) (envelope.ID, error) {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return envelope.ID{}, ErrStopped
	}
	taken, err := c.takeRoom(ctx, &d, control)
	if err != nil {
		return envelope.ID{}, err
	}
	a, err := c.prepare(d, control) // only now: a lifetime begins when the message is written
	if err != nil {
		taken.release()
		return envelope.ID{}, err
	}
	a.taken = taken
	select {
	case c.accepts <- a:
	case <-c.ctx.Done():
		a.taken.release()
		return envelope.ID{}, ErrStopped
	}
	// The write is under way and ends soon, whatever ctx says: an answer that
	// does not know whether the message was accepted helps nobody.
	if err := <-a.done; err != nil {
		return envelope.ID{}, err
	}
	return a.row.ID, nil
}

// takeRoom waits for room in the outbox, at most until the node stops.
func (c *Courier) takeRoom(ctx context.Context, d *Draft, control bool) (hold, error) {
	content := contentCap(&message.Content{Type: d.Type, Body: d.Body})
	h := c.holdFor(d.To, control, content+message.PaddedLen(content))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	switch {
	case h.take(ctx, control):
		return h, nil
	case c.ctx.Err() != nil:
		return hold{}, ErrStopped
	}
	return hold{}, ErrBusy
}

// prepare makes the outbox row, sealed if a prekey of the recipient is at hand.
func (c *Courier) prepare(d Draft, control bool) (*acceptance, error) {
	now := c.Now().Truncate(time.Millisecond)
	number, err := c.Store.NextNumber(d.To)
	if err != nil {
		return nil, err
	}
	content := message.Content{Type: d.Type, Number: number, Body: d.Body}
	a := &acceptance{done: make(chan error, 1), byRelays: d.byRelays}
	if d.ID == (envelope.ID{}) {
		d.ID = envelope.NewID(now)
	}
	a.row = store.Outgoing{
		ID: d.ID, To: d.To, Created: now, Lifetime: d.Lifetime.Truncate(time.Second),
		Control: control, DemandsSecrecy: d.DemandsSecrecy, Keep: d.Keep,
		Content: content.AppendUnpadded(make([]byte, 0, contentCap(&content))),
	}
	return a, c.sealNow(a, &content)
}

// holdFor is the room that an outbox row takes, whose content and envelope have
// about size bytes.
func (c *Courier) holdFor(to protocols.Key, control bool, size int) hold {
	of := c.room
	switch {
	case control && c.Store.Stranger(to):
		of = c.strange
	case control:
		of = c.aside
	}
	return hold{of: of, bytes: int64(size + rowOverhead)}
}

// contentCap is a little more than the content takes when encoded.
func contentCap(c *message.Content) int { return len(c.Type) + len(c.Body) + 16 }

// rowOverhead is about what an outbox row takes beside content and ciphertext.
const rowOverhead = 512

// acceptLoop signs and stores what senders hand in. Nobody waits for a batch to
// fill: what is queued when the disk is free is the batch.
func (c *Courier) acceptLoop(ctx context.Context) {
	writing := make(chan struct{}, maxWriting)
	for {
		select {
		case <-ctx.Done():
			return
		case writing <- struct{}{}:
		}
		select {
		case <-ctx.Done():
			return
		case a := <-c.accepts:
			c.commit(drain(a, c.accepts, maxBatch), func() { <-writing })
		}
	}
}

// drain is first and what else is queued, at most limit.
func drain[T any](first T, queued <-chan T, limit int) []T {
	all := []T{first}
	for len(all) < limit {
		select {
		case v := <-queued:
			all = append(all, v)
		default:
			return all
		}
	}
	return all
}

// commit signs a batch, stores it, and tells the machine and the senders once
// it is synced.
func (c *Courier) commit(batch []*acceptance, written func()) {
	c.prove(batch)
	rows := make([]*store.Outgoing, len(batch))
	for i, a := range batch {
		rows[i] = &a.row
		a.msg = messageOf(&a.row, c.me)
		a.msg.ByRelays = a.byRelays
	}
	c.Store.Accept(rows, func(_ store.Cursor, err error) {
		written()
		if err == nil {
			c.mail.put(func(m *delivery.Machine, now time.Time) { c.accepted(m, now, batch) })
		}
		for _, a := range batch {
			if err != nil {
				a.taken.release()
			}
			a.done <- err
		}
	})
}

// accepted tells the machine of messages that are on disk.
func (c *Courier) accepted(m *delivery.Machine, now time.Time, batch []*acceptance) {
	for _, a := range batch {
		c.held[a.row.ID] = a.taken
		if a.sealed != nil {
			c.keepFrame(a.row.ID, a.frame)
		}
		c.handOver(m, now, a.msg)
	}
}

// handOver gives the machine a message that is on disk. Prekeys may have come
// while it was on its way there, or in the last run, and are not told twice.
func (c *Courier) handOver(m *delivery.Machine, now time.Time, msg delivery.Message) {
	m.Accept(now, msg)
	if msg.Sealed {
		return
	}
	if _, ok := c.keys.choose(msg.To, now); ok {
		m.PrekeysKnown(now, msg.To)
	}
}

// prove puts the proofs on what is sealed, one signature for all.
func (c *Courier) prove(batch []*acceptance) {
	sealed := make([]*envelope.Envelope, 0, len(batch))
	for _, a := range batch {
		if a.sealed != nil {
			sealed = append(sealed, a.sealed)
		}
	}
	if len(sealed) == 0 {
		return
	}
	envelope.Sign(c.Signer, sealed)
	for _, a := range batch {
		if a.sealed != nil {
			a.frame = a.sealed.Append(make([]byte, 0, len(a.sealed.Body)+rowOverhead))
			a.row.Envelope, a.row.Digest = a.frame, a.sealed.Digest()
		}
	}
}
