package hub

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Limits say what one member may put into the log, and what the log may hold of a
// day. Who wants more is told when to come again. The zero value of a field means
// its default.
type Limits struct {
	Rate   int // records of a member each second, in the long run; 2 000
	Burst  int // and at once; 20 000
	Bytes  int // of a member each second, in the long run; 8 MiB
	Flood  int // and at once; 64 MiB
	Others int // records at once of all who are no members and want to be, and a fifth each second; 500

	// Together is how many records all of them may bring each second in the long run,
	// and ten times as many at once; 20 000. Whoever brings no more than its share of
	// that need not wait for those who bring more.
	Together int

	Tail      int // records of the log; 200 000
	TailBytes int // 512 MiB
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		v     *int
		value int
	}{
		{&l.Rate, 2_000}, {&l.Burst, 20_000}, {&l.Bytes, 8 << 20}, {&l.Flood, 64 << 20}, {&l.Others, 500}, {&l.Together, 20_000}, {&l.Tail, 200_000}, {&l.TailBytes, 512 << 20},
	} {
		if *f.v == 0 {
			*f.v = f.value
		}
	}
	return l
}

const tailRetry = 60_000 // ms, while the log is full

// allowance is until when what somebody took is paid for, and what was its share of
// that of all.
type allowance struct{ records, bytes, share time.Time }

// take pays for n of something of which rate are earned a second and burst can be
// saved. wait is how long that takes longer than it may; then nothing is paid.
func take(until *time.Time, now time.Time, n, rate, burst int) (wait time.Duration) {
	paid := pay(*until, now, n, rate)
	if wait = paid.Sub(now) - time.Duration(burst)*time.Second/time.Duration(rate); wait > 0 {
		return wait
	}
	*until = paid
	return 0
}

// pay returns until when what was taken is paid for with n more.
func pay(until, now time.Time, n, rate int) time.Time {
	if until.Before(now) {
		until = now
	}
	return until.Add(time.Duration(n) * time.Second / time.Duration(rate))
}

// Admit says whether a record of so many bytes may be brought now: 0, or in how
// many ms it may be. It is asked before anything is verified.
func (h *Hub) Admit(now time.Time, from protocols.Key, size int) wire.Millis {
	l := h.cfg.Limits
	rate, burst := l.Rate, l.Burst
	if !h.cfg.Ledger.Fold().Hears(from) {
		from, rate, burst = protocols.Key{}, max(l.Others/5, 1), l.Others
	}
	a := h.allowed[from]
	if a == nil {
		if h.allowed == nil || len(h.allowed) > 2*wire.MaxMembers { // of many who have left since
			h.allowed = make(map[protocols.Key]*allowance)
		}
		a = new(allowance)
		h.allowed[from] = a
	}
	before := *a
	wait := take(&a.records, now, 1, rate, burst)
	if wait == 0 {
		wait = take(&a.bytes, now, size, l.Bytes, l.Flood)
	}
	if wait == 0 {
		wait = h.together(now, a)
	}
	if wait == 0 {
		return 0
	}
	*a = before
	return wire.Millis(wait.Milliseconds()) + 1
}

// together pays for a record out of what all may bring. One that is within its
// member's share need not wait for that: those beyond theirs wait the longer.
func (h *Hub) together(now time.Time, a *allowance) time.Duration {
	all := h.cfg.Limits.Together
	share := max(all/max(h.cfg.Ledger.Fold().Len(), 1), 1)
	if take(&a.share, now, 1, share, share) == 0 {
		h.all = pay(h.all, now, 1, all)
		return 0
	}
	return take(&h.all, now, 1, all, 10*all)
}

// full says that the log holds as much as it may.
func (h *Hub) full() bool {
	return h.log().Len() >= h.cfg.Limits.Tail || h.log().Size() >= h.cfg.Limits.TailBytes
}

// Busy tells who brings a record to come again.
func (h *Hub) Busy(to protocols.Key, id wire.RecordID, retry wire.Millis) {
	f := &wire.Busy{Group: h.cfg.Group, Record: id, Retry: retry}
	if to == h.self {
		h.ready.Busy = append(h.ready.Busy, f)
		return
	}
	h.send(to, f)
}
