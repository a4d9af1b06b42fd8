package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// atOnce is how many messages are at work at once, each of another talk.
const atOnce = 8

// Config says what a bot does.
type Config struct {
	Client  *localapi.Client
	Command Command // what says the answers, looked up; nil: they are echoes
	Accept  bool    // join groups that somebody invites to
	Tell    func(Report)
}

// Report is something that happened.
type Report struct {
	What      string `json:"what"` // ready, answered, known, silent, failed, joined, not_joined, away
	From      string `json:"from,omitempty"`
	Name      string `json:"name,omitempty"`
	ID        string `json:"id,omitempty"` // of the message
	Group     string `json:"group,omitempty"`
	GroupName string `json:"group_name,omitempty"`
	Answer    string `json:"answer,omitempty"` // its id
	Bytes     int    `json:"bytes,omitempty"`
	TookMS    int64  `json:"took_ms,omitempty"` // to make it
	Reason    string `json:"reason,omitempty"`
}

// bot is what Run works with. Its goroutine owns what stands below the blank line.
type bot struct {
	Config
	me   string // peer id
	news news
	done chan talk // whose first item was handled
	join chan string
	busy sync.WaitGroup

	queue   queue
	listed  localapi.Cursor       // up to where the inbox is in the queue
	groups  map[string]*groupFeed // by id
	joining map[string]*courtship // by the invitation
	more    bool                  // something is left in the daemon, for want of room
	again   bool                  // or because it did not answer
}

// Run answers until ctx ends. It returns an error only at the beginning: a daemon
// that goes away later may come back.
func Run(ctx context.Context, cfg Config) error {
	id, err := cfg.Client.Identity(ctx)
	if err != nil {
		return err
	}
	b := &bot{
		Config: cfg, me: id.ID, news: newNews(), done: make(chan talk), join: make(chan string),
		groups: make(map[string]*groupFeed), joining: make(map[string]*courtship),
	}
	ctx, cancel := context.WithCancel(ctx)
	b.busy.Go(func() { b.follow(ctx) })
	b.loop(ctx)
	cancel()
	b.busy.Wait()
	return nil
}

// retryTime is how long it is until the daemon is asked again for what it did not
// say.
const retryTime = time.Second

func (b *bot) loop(ctx context.Context) {
	working := 0
	for {
		for working < atOnce {
			it, ok := b.queue.next()
			if !ok {
				break
			}
			working++
			b.busy.Go(func() {
				b.handle(ctx, it)
				select {
				case b.done <- it.talk:
				case <-ctx.Done():
				}
			})
		}
		var retry <-chan time.Time
		if b.again {
			retry = time.After(retryTime)
		}
		select {
		case <-ctx.Done():
			return
		case t := <-b.done:
			working--
			b.queue.done(t)
			if b.more && b.queue.n <= maxQueued/2 {
				b.fill(ctx, hints{inbox: true, groups: true})
			}
		case <-b.news.wake:
			b.fill(ctx, b.news.take())
		case invite := <-b.join:
			b.joined(invite)
			b.fill(ctx, hints{groups: true})
		case <-retry:
			b.fill(ctx, hints{inbox: true, groups: true, invites: true})
		}
	}
}

// fill takes into the queue what is unread and not in it yet.
func (b *bot) fill(ctx context.Context, h hints) {
	if h.inbox && h.groups {
		b.more, b.again = false, false
	}
	var errs []error
	if h.anew {
		b.listed = 0 // what could not be marked comes once more, and is known
	}
	if h.inbox {
		errs = append(errs, b.fillInbox(ctx))
	}
	if h.groups {
		errs = append(errs, b.fillGroups(ctx))
	}
	if h.invites && b.Accept {
		errs = append(errs, b.acceptInvites(ctx))
	}
	b.again = b.again || errors.Join(errs...) != nil
}

// fillInbox takes in the unread rows behind those that were taken in before.
func (b *bot) fillInbox(ctx context.Context) error {
	for !b.queue.full() {
		page, err := b.Client.InboxPage(ctx, localapi.InboxQuery{Since: b.listed, Unread: true, Limit: localapi.MaxPage})
		if err != nil {
			return err
		}
		for i := range page.Messages {
			m := &page.Messages[i]
			b.queue.add(item{talk: talk{id: m.From}, id: m.ID, cursor: uint64(m.Cursor), skip: isAnswer(m.Type)})
		}
		if b.listed = page.Cursor; !page.More {
			return nil
		}
	}
	b.more = true
	return nil
}

// lasting says that an error is no passing one: asking again would not help.
func lasting(err error) bool {
	var said *localapi.Error
	if !errors.As(err, &said) {
		return false // it is away, or went away in mid answer
	}
	switch said.Code {
	case localapi.CodeStopping, localapi.CodeBusy, localapi.CodeDiskFull, localapi.CodeInternal:
		return false
	}
	return true
}

// insist does what the daemon must do, until it does or says that it never will.
func insist(ctx context.Context, do func() error) error {
	wait := 100 * time.Millisecond
	for {
		err := do()
		if err == nil || lasting(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}
