package links

import (
	"math"
	"testing"
	"time"
)

func quotaFor(data int64, d time.Duration) *quota {
	q := &quota{data: data, time: d, begun: time.Unix(1000, 0)}
	q.out.Store(quotaStart)
	q.in.Store(quotaStart)
	return q
}

func TestQuotaLetsThroughLessThanTheRelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data  int64
		frame int
	}{
		{128 << 10, 100},
		{128 << 10, 1000},
		{128 << 10, 32 << 10},
		{128 << 10, 100 << 10},
		{64 << 20, 700},
		{64 << 20, 256 << 10},
		{16 << 10, 500},
	} {
		q := quotaFor(c.data, 0)
		if !q.fits(c.frame) {
			t.Errorf("a fresh circuit of %d bytes does not carry %d", c.data, c.frame)
		}
		sent := int64(quotaStart)
		for q.take(c.frame) {
			// a uvarint of the length, a multiplexer's header each 16 KiB, a tag and
			// a length of encryption for each of them
			sent += int64(c.frame) + 4 + int64(c.frame/(16<<10)+1)*(12+18)
		}
		if sent > c.data {
			t.Errorf("frames of %d: %d bytes went over a circuit of %d", c.frame, sent, c.data)
		}
		if least := c.data*8/10 - int64(c.frame) - quotaStart - quotaMargin; sent < least {
			t.Errorf("frames of %d: %d bytes were let through, of %d", c.frame, sent, c.data)
		}
	}
}

func TestQuotaGivesBack(t *testing.T) {
	t.Parallel()
	q := quotaFor(128<<10, 0)
	before := q.left()
	if !q.take(1000) || q.left() >= before {
		t.Errorf("%d left of %d after a frame was promised room", q.left(), before)
	}
	q.giveBack(1000)
	if q.left() != before {
		t.Errorf("%d left of %d after it was given back", q.left(), before)
	}
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]*quota{"none announced": nil, "zeros announced": quotaFor(0, 0)} {
		if !q.fits(math.MaxInt32) || !q.take(math.MaxInt32) || q.left() != -1 || q.low() || !q.ends().IsZero() || !q.renewAt(true).IsZero() {
			t.Errorf("%s: there is a limit", name)
		}
		q.giveBack(1)
		q.cameIn(1)
		q.wentOut(1)
	}
}

// A relay that grants next to nothing does not make us dial all the time.
func TestTinyLimitsAreNotRenewed(t *testing.T) {
	t.Parallel()
	for _, data := range []int64{1, 1000, quotaStart, leastData - 1} {
		if q := quotaFor(data, 0); q.low() {
			t.Errorf("a circuit of %d bytes wants a successor at once", data)
		}
	}
	for _, d := range []time.Duration{time.Nanosecond, time.Second, leastTime - 1} {
		if q := quotaFor(0, d); !q.renewAt(true).IsZero() {
			t.Errorf("a circuit of %v is renewed", d)
		}
	}
	if q := quotaFor(1, 0); q.fits(0) || q.take(0) || q.left() != 0 {
		t.Error("one byte carries a frame")
	}
	if q := quotaFor(math.MaxInt64, math.MaxInt64); !q.fits(1<<20) || q.low() || !q.renewAt(true).After(q.begun) {
		t.Error("the largest limit is no limit")
	}
}

func TestWhoDialledRenewsFirst(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{leastTime, 2 * time.Minute, 30 * time.Minute} {
		q := quotaFor(0, d)
		first, second, end := q.renewAt(true), q.renewAt(false), q.ends()
		if !first.After(q.begun) || !first.Before(second) || !second.Before(end) || end.Sub(first) > time.Minute {
			t.Errorf("%v: renewed at %v by who dialled, at %v by the other, ends at %v", d, first.Sub(q.begun), second.Sub(q.begun), end.Sub(q.begun))
		}
	}
}

func TestQuotaIsLowInTime(t *testing.T) {
	t.Parallel()
	q := quotaFor(128<<10, 0)
	for !q.low() {
		if !q.take(1000) {
			t.Fatal("full before it was low")
		}
	}
	if q.left() < 16<<10 {
		t.Errorf("only %d bytes left when a successor is made", q.left())
	}
	q = quotaFor(128<<10, 0)
	q.cameIn(100 << 10)
	if !q.low() {
		t.Error("what comes in counts too")
	}
}
