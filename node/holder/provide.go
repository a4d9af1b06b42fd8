package holder

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
)

// Making it known whose mail is here.
const (
	provideEvery = 5 * time.Second // between two looks at what is new
	provideAgain = 6 * time.Hour
	maxProvided  = 1024 // recipients
)

// provideLoop names this node in the DHT as a holder of the mail it has.
func (s *Service) provideLoop(ctx context.Context) {
	if s.Provide == nil {
		return
	}
	done := make(map[[32]byte]time.Time)
	for pause(ctx, provideEvery) {
		var recipients []protocols.Key
		s.ask(func(k *backup.Keeper, _ time.Time) { recipients = k.Recipients(maxProvided) })
		now := s.Now()
		for d, at := range done {
			if now.Sub(at) > provideAgain {
				delete(done, d)
			}
		}
		for _, to := range recipients {
			d := mailboxDigest(to, now)
			if _, ok := done[d]; ok {
				continue
			}
			if err := s.Provide(ctx, d); err != nil {
				logger.Debugw("mailbox not provided", "err", err)
				break // there is no DHT now: later
			}
			done[d] = now
		}
	}
}
