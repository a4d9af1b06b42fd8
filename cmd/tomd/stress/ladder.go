package stress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// ladder sends messages of growing size, from 1 KiB to the largest the daemon
// takes; one byte more it must refuse.
func (s *stage) ladder(ctx context.Context) error {
	here, there, err := s.pair(ctx)
	if err != nil {
		return err
	}
	s.sending = time.Now()
	most, err := s.largest(ctx, here, there)
	if err != nil {
		return err
	}
	sizes := []int{}
	for size := 1 << 10; size < most; size *= 2 {
		sizes = append(sizes, size)
	}
	sizes = append(sizes, most)
	each := s.left(0.85) / time.Duration(len(sizes))
	for _, size := range sizes {
		if err := s.rung(ctx, here, there, size, each); err != nil {
			return err
		}
	}
	s.sent = time.Now()
	if err := s.conclude(ctx, here, s.hearers()...); err != nil {
		return err
	}
	s.result.Want(
		verdict.Exactly("sizes of which messages came", s.stepsDone(), len(sizes)),
		verdict.AtLeast("bytes of the largest", most, 128<<10),
	)
	return nil
}

// rung sends messages of one size, one at a time, for a while; one at least.
func (s *stage) rung(ctx context.Context, here, there end, size int, span time.Duration) error {
	end := time.Now().Add(span)
	return s.step(fmt.Sprintf("%d bytes", size), func() error {
		for first := true; first || time.Now().Before(end); first = false {
			id, err := s.send(ctx, here, there, size, time.Now())
			if err != nil {
				return err
			}
			if _, err := here.client.Wait(ctx, id, localapi.Delivered, s.cfg.Patience); err != nil {
				return err
			}
		}
		return nil
	})
}

// largest finds the size of the largest message that the daemon takes, by trying:
// what it takes is sent.
func (s *stage) largest(ctx context.Context, here, there end) (int, error) {
	takes, refuses := 1<<10, localapi.MaxBody+1
	for takes+1 < refuses {
		size := (takes + refuses) / 2
		fits, err := s.fits(ctx, here, there, size)
		if err != nil {
			return 0, err
		}
		if fits {
			takes = size
		} else {
			refuses = size
		}
	}
	s.say("the largest message has %d bytes", takes)
	return takes, nil
}

func (s *stage) fits(ctx context.Context, here, there end, size int) (bool, error) {
	_, err := s.send(ctx, here, there, size, time.Now())
	var refused *localapi.Error
	if errors.As(err, &refused) && refused.Code == localapi.CodeTooLarge {
		return false, nil
	}
	return err == nil, err
}

// step does a part of the phase whose messages have times of their own.
func (s *stage) step(name string, do func() error) error {
	from := s.book.numbers()
	err := do()
	s.steps = append(s.steps, step{name: name, from: from, to: s.book.numbers()})
	return err
}

// step is a part of a phase: the messages with numbers above from, up to to.
type step struct {
	name     string
	from, to int
}

// stepsDone counts the steps of which receipts came, and writes all of them into
// the result.
func (s *stage) stepsDone() (done int) {
	for _, st := range s.steps {
		sum := verdict.Step{Name: st.name}
		s.book.do(func(l *ledger.Ledger) {
			sum.Latency = l.LatencyOf(func(k ledger.Key) bool { return k.N > st.from && k.N <= st.to }).Summary()
		})
		if sum.Latency.Count > 0 {
			done++
		}
		s.result.Steps = append(s.result.Steps, sum)
	}
	return done
}
