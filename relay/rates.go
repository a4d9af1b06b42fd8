package relay

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/fair"
)

// rates hold everybody to theirs.
type rates struct {
	limits  Limits
	all     *fair.Meter // everything, and all strangers
	hops    *fair.Meter // by who brings it
	authors *fair.Meter // by who wrote it
}

// The keys of all.
var everything, strangers = protocols.Key{1}, protocols.Key{2}

func newRates(l Limits) rates {
	return rates{limits: l, all: fair.NewMeter(2), hops: fair.NewMeter(maxPeers), authors: fair.NewMeter(maxPeers)}
}

// asker is who wants an envelope of some size passed on.
type asker struct {
	hop, author             protocols.Key
	strangeHop, strangeMail bool // the hop is a stranger; the author is one too
	size                    int
}

func (r *rates) of(stranger bool) fair.Rate {
	if stranger {
		return r.limits.Stranger
	}
	return r.limits.Friend
}

// admit charges an envelope to everybody's rate, or says why it may not come
// now: its hop's own haste and the node's load pass with time, but what an
// author sends by many hops is not for one of them to wait for.
func (r *rates) admit(now time.Time, a asker) (no envelope.Answer, ok bool) {
	hop, author := r.of(a.strangeHop), r.of(a.strangeMail)
	wait := max(r.hops.Wait(now, a.hop, hop, a.size), r.all.Wait(now, everything, r.limits.Total, a.size))
	if a.strangeHop {
		wait = max(wait, r.all.Wait(now, strangers, r.limits.Strangers, a.size))
	}
	late := r.authors.Wait(now, a.author, author, a.size)
	switch {
	case late > 0 && a.author != a.hop:
		return envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonQuota}, false
	case max(wait, late) > 0:
		return busy(max(wait, late)), false
	}
	r.hops.Charge(now, a.hop, hop, a.size)
	r.authors.Charge(now, a.author, author, a.size)
	r.all.Charge(now, everything, r.limits.Total, a.size)
	if a.strangeHop {
		r.all.Charge(now, strangers, r.limits.Strangers, a.size)
	}
	return no, true
}

// The bounds of what a peer is told to wait.
const (
	shortRetry = 100 * time.Millisecond
	longRetry  = 10 * time.Second
)

// busy asks to come again after about the given time.
func busy(after time.Duration) envelope.Answer {
	after = min(max(after, shortRetry), longRetry)
	return envelope.Answer{Code: envelope.Busy, RetryMillis: uint64(after.Milliseconds())}
}

// turnedAway is the answer to who found no place, or no turn, in a contended
// queue: the less its weight, the later it may come again.
func turnedAway(j fair.Job) envelope.Answer {
	after := time.Duration(float64(time.Second) / j.Weight)
	if j.Stranger {
		after *= 2
	}
	return busy(after)
}
