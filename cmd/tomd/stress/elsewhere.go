package stress

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// meetElsewhere makes the two ends of a conversation with a listener elsewhere:
// the user's daemon, and whoever --to names, who listens by then.
func (s *stage) meetElsewhere(ctx context.Context) (here, there end, err error) {
	id, err := s.cfg.Client.Identity(ctx)
	if err != nil {
		return here, there, err
	}
	talks, err := s.cfg.Client.Talks(ctx)
	if err != nil {
		return here, there, err
	}
	s.following.Go(func() {
		follow(s.follows, s.cfg.Client, talks.Cursor, s.answered)
	})
	return end{name: id.ID, id: id.ID, client: s.cfg.Client}, end{name: "there", id: s.cfg.To}, s.greet(ctx)
}

// greet returns once the listener has answered. It counts what comes after it has
// begun, so nothing may be sent before that is known. What was asked before it had
// begun is not answered: so it is asked again.
func (s *stage) greet(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	for short.Err() == nil {
		if err := s.ask(short); err != nil {
			return err
		}
		if s.awaitCounts(short) != nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("no listener has answered within %v", s.cfg.Patience)
}

// answered is an event of the user's daemon: what becomes of what is sent, and
// the listener's answers.
func (s *stage) answered(e localapi.Event) {
	if e.Kind == localapi.EventState {
		s.book.became(e.ID, e.State, time.Now())
	}
	if e.Kind != localapi.EventReceived || e.Message == nil || e.Message.Type != CountsType {
		return
	}
	var c Counts
	body, err := e.Message.Bytes()
	if err != nil || json.Unmarshal(body, &c) != nil || c.Run != s.book.run {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = &c
}

// compare asks the listener elsewhere what it has, until it has all, or the time
// is over; and puts that into the books.
func (s *stage) compare(ctx context.Context) {
	var expected int // what has expired may still be there, and is not waited for
	s.book.do(func(l *ledger.Ledger) { expected = l.Counts().Accepted - l.Counts().Ended })
	short, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	var c *Counts
	for short.Err() == nil && (c == nil || c.Received < expected) {
		if err := s.ask(short); err != nil {
			s.say("the listener cannot be asked: %v", err)
			break
		}
		if told := s.awaitCounts(short); told != nil {
			c = told
		}
		if c != nil && c.Received < expected {
			pause(short, time.Second)
		}
	}
	s.result.Want(verdict.AtLeast("answers of the listener", btoi(c != nil), 1))
	if c == nil {
		s.result.Notes = append(s.result.Notes, "the listener has not answered: nothing is known of the other end")
		return
	}
	s.book.do(func(l *ledger.Ledger) { l.Told(c.From, c.To, spans(c.Spans).has, c.Twice, 0) })
	s.book.spoiled = c.Spoiled
	s.result.Want(verdict.Exactly("messages, as the listener counts", c.Received, s.received()))
	if c.Cut {
		s.result.Notes = append(s.result.Notes, "so many messages were missing that the listener could not name all that came")
	}
}

// received is how many came, by the books.
func (s *stage) received() (n int) {
	s.book.do(func(l *ledger.Ledger) { n = l.Counts().Received })
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ask asks the listener what has come of this run.
func (s *stage) ask(ctx context.Context) error {
	body, err := json.Marshal(Ask{Run: s.book.run})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.counts = nil
	s.mu.Unlock()
	m := localapi.Outgoing{To: s.cfg.To, Content: localapi.NewContent(AskType, body), LifetimeS: 3600}
	if _, err := s.cfg.Client.Send(ctx, m); err != nil && !retry(err) {
		return fmt.Errorf("ask the listener: %w", err)
	}
	return nil
}

// askAgain is how long an answer is waited for.
const askAgain = 5 * time.Second

func (s *stage) awaitCounts(ctx context.Context) (c *Counts) {
	ctx, cancel := context.WithTimeout(ctx, askAgain)
	defer cancel()
	for ctx.Err() == nil {
		s.mu.Lock()
		c = s.counts
		s.mu.Unlock()
		if c != nil {
			return c
		}
		pause(ctx, look)
	}
	return nil
}
