package stress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/node/localapi"
)

// end is one end of a conversation. Who is elsewhere has no client.
type end struct {
	name   string // in the books
	id     string // peer id, or whatever the daemon understands as a recipient
	client *localapi.Client
}

// answerTime is how long a daemon may take to accept a message. One that is
// paused takes longer: then nobody knows whether it has accepted it.
const answerTime = 10 * time.Second

// send sends a message until it is accepted, and gives its id. Time runs from
// due.
func (s *stage) send(ctx context.Context, from, to end, size int, due time.Time) (id string, err error) {
	for {
		p := s.book.next(from.name, to.name, due)
		m := localapi.Outgoing{To: to.id, Content: p.Content(size), LifetimeS: uint32(s.cfg.Lifetime.Seconds())}
		short, cancel := context.WithTimeout(ctx, answerTime)
		accepted, err := from.client.Send(short, m)
		cancel()
		if err == nil {
			s.book.accepted(p, accepted.ID)
			return accepted.ID, s.book.err()
		}
		s.notTaken(p, err)
		if err := s.tryAgain(ctx, from, err); err != nil {
			return "", err
		}
	}
}

// answered says that an error is a daemon's that knows what it says: it has not
// accepted the message.
func answered(err error) bool {
	var refused *localapi.Error
	return errors.As(err, &refused) && refused.Code != localapi.CodeStopping
}

// notTaken notes that a message was not accepted, or that nobody knows.
func (s *stage) notTaken(p Probe, why error) {
	s.book.do(func(l *ledger.Ledger) {
		if answered(why) {
			l.Refused(p.key())
		} else {
			l.Unanswered(p.key())
		}
	})
}

// tryAgain returns when another try makes sense, or the error that says that none
// does.
func (s *stage) tryAgain(ctx context.Context, from end, why error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !retry(why):
		return fmt.Errorf("send from %s: %w", from.name, why)
	case answered(why):
		pause(ctx, comeBack)
		return ctx.Err()
	}
	return awake(ctx, from.client)
}

// retry says that an error of Send may be over soon.
func retry(err error) bool {
	var none *localapi.NoDaemonError
	var refused *localapi.Error
	if errors.As(err, &refused) {
		return refused.Code == localapi.CodeBusy || refused.Code == localapi.CodeStopping
	}
	return errors.As(err, &none) || errors.Is(err, context.DeadlineExceeded)
}

// steadily sends a message every so often until the time is over. What could not
// be sent in time counts from when it was due.
func (s *stage) steadily(ctx context.Context, from, to end, every, span time.Duration) error {
	return steadily(ctx, time.Now(), every, span, func(due time.Time) error {
		_, err := s.send(ctx, from, to, s.cfg.Size, due)
		return err
	})
}

// steadily does something every so often from begin until the time is over, each
// time when it is due or as soon after it as the one before is done.
func steadily(ctx context.Context, begin time.Time, every, span time.Duration, do func(due time.Time) error) error {
	for due := begin; due.Sub(begin) < span; due = due.Add(every) {
		pause(ctx, time.Until(due))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := do(due); err != nil {
			return err
		}
	}
	return nil
}
