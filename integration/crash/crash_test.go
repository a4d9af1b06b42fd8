package crash

import (
	"context"
	"testing"
	"time"
)

// I1 and the promise never to lose an accepted message: every message whose id
// was returned is in the inbox exactly once, and ends as delivered with a
// receipt that verifies, whatever moments the processes are killed at.
func TestKilledProcessesLoseNothingAndRepeatNothing(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	ctx, cancel := context.WithTimeout(t.Context(), p.patience)
	defer cancel()
	s := newStorm(t, p)
	if err := s.rage(ctx); err != nil {
		t.Fatal(err)
	}
	s.logTime("all accepted, and both are back; %d sent without an answer", len(s.unanswered))
	if len(s.unanswered) > p.kills*p.senders {
		t.Errorf("%d sends went without an answer: more than were under way at %d kills", len(s.unanswered), p.kills)
	}
	s.awaitDelivered(ctx, keysOf(s.accepted))
	s.logTime("all delivered")

	if _, err := s.bob.killAndRestart(ctx); err != nil {
		t.Fatal(err)
	}
	extra := s.checkInbox(ctx)
	s.awaitDelivered(ctx, extra)
	s.logTime("the inbox has all, once, and %d of those without an answer", len(extra))
	s.checkReceipts(ctx, append(keysOf(s.accepted), extra...))
	s.checkSample(ctx)
	s.logTime("all receipts verify")
}

func (s *storm) logTime(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("%6.2f s: "+format, append([]any{time.Since(s.begin).Seconds()}, args...)...)
}
