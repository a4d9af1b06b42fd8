package delivery

import (
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols/envelope"
)

// judgeAnswer decides when a message that its recipient answered for is tried
// again.
func (m *Machine) judgeAnswer(now time.Time, p *peer, t *tracked, a envelope.Answer) {
	if t.resealing {
		return
	}
	t.taken = a.Code == envelope.Taken
	m.tally[p.way()].Fates[fateOf(a.Code)]++
	wait := m.backoff(t.tries, firstReceipt)
	switch a.Code {
	case envelope.Taken:
		t.result("taken")
	case envelope.Busy:
		t.reason = "the recipient is busy"
		t.result("busy")
		wait = max(time.Duration(min(a.RetryMillis, uint64(maxRetry.Milliseconds())))*time.Millisecond, time.Second)
	case envelope.Refused:
		if m.refused(now, t, a) {
			return
		}
		wait = m.backoff(t.tries, firstReceipt)
		if a.Reason == envelope.ReasonClock {
			wait = clockWait(t, a, wait)
		}
	default:
		return
	}
	m.timers.arm(&t.retry, now.Add(wait))
}

func fateOf(c envelope.Code) Fate {
	switch c {
	case envelope.Busy:
		return FateBusy
	case envelope.Refused:
		return FateRefused
	}
	return FateTaken
}

// refused notes a refusal and ends the message if time will not mend it.
func (m *Machine) refused(now time.Time, t *tracked, a envelope.Answer) (final bool) {
	t.reason = explain(t, a)
	t.result("refused: " + t.reason)
	switch a.Reason {
	case envelope.ReasonConflict, envelope.ReasonPolicy, envelope.ReasonVersion, envelope.ReasonSize:
		m.fail(now, t, Failed, t.reason)
		return true
	}
	return false
}

// clockWait is when a message that is ahead of its recipient's clock will not
// be any more, if that is the trouble and soon.
func clockWait(t *tracked, a envelope.Answer, otherwise time.Duration) time.Duration {
	theirs := time.UnixMilli(int64(min(a.Value, 1<<62)))
	if ahead := t.Created.Sub(theirs) - envelope.ClockSkew; ahead > 0 && ahead < 24*time.Hour {
		return min(ahead+time.Second, maxRetry) // somebody may set it right meanwhile
	}
	return otherwise
}

// explain says what a refusal means in words for the sender.
func explain(t *tracked, a envelope.Answer) string {
	switch a.Reason {
	case envelope.ReasonClock:
		theirs := time.UnixMilli(int64(min(a.Value, 1<<62))).UTC().Format(time.RFC3339)
		return fmt.Sprintf("clocks differ: the recipient's says %s, the message was written at %s; one of the two is wrong",
			theirs, t.Created.UTC().Format(time.RFC3339))
	case envelope.ReasonQuota:
		return "over the recipient's quota"
	case envelope.ReasonNoRoute:
		return "no route"
	case envelope.ReasonConflict:
		return "the recipient holds another message under this id"
	case envelope.ReasonHops:
		return "too many hops"
	case envelope.ReasonPolicy:
		return "the recipient does not take such messages"
	case envelope.ReasonVersion:
		return "the recipient does not know this version of the protocol"
	case envelope.ReasonSize:
		return "too large for the recipient"
	}
	return fmt.Sprintf("reason %d", a.Reason)
}

// backoff doubles from first with every failure, up to maxRetry, and spreads
// by a quarter either way.
func (m *Machine) backoff(failures int, first time.Duration) time.Duration {
	d := maxRetry
	if failures = max(failures, 1); failures <= 12 {
		d = min(first<<(failures-1), maxRetry)
	}
	return d - d/4 + time.Duration(m.rand.Int64N(int64(d/2)+1))
}
