package links

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

// quota is what a relay lets through on one circuit before it resets it: so
// many bytes each way, and so much time. A nil quota has no limit.
//
// Only bytes of our own streams can be counted. The handshake, identify, hole
// punching and the framing below the streams are estimated, generously: a
// circuit that ends by itself loses what is under way.
type quota struct {
	data  int64         // bytes each way; 0: any number
	time  time.Duration // from when it was opened; 0: for ever
	begun time.Time
	out   atomic.Int64 // bytes sent, or promised room
	in    atomic.Int64
}

// A limit below these is not worth a successor: the next circuit would be at its
// end as soon as it begins.
const (
	leastData = 32 << 10
	leastTime = 20 * time.Second
)

const (
	quotaStart  = 6 << 10 // bytes each way that were gone when we began to count
	quotaMargin = 6 << 10 // bytes each way left to answers, identify, hole punching, and a 32nd more
)

// room is how many bytes each way we let ourselves use.
func (q *quota) room() int64 { return q.data - quotaMargin - q.data/32 }

// quotaOf reads what the relay announced when the circuit was made.
func quotaOf(c network.Conn) *quota {
	stat := c.Stat()
	if !stat.Limited {
		return nil
	}
	q := &quota{begun: stat.Opened}
	data, _ := stat.Extra[client.StatLimitData].(uint64)
	q.data = int64(min(data, math.MaxInt64))
	q.time, _ = stat.Extra[client.StatLimitDuration].(time.Duration)
	q.out.Store(quotaStart)
	q.in.Store(quotaStart)
	return q
}

// framed is how many bytes n bytes of one frame take on a circuit, at most:
// the frame's length, and the framing of multiplexer and encryption.
func framed(n int) int64 { return int64(n) + int64(n)/64 + 64 }

// fits says that a frame of n bytes could go over a fresh circuit of this relay.
func (q *quota) fits(n int) bool {
	return q == nil || q.data == 0 || framed(n) <= q.room()-quotaStart
}

// take promises room to a frame of n bytes, if it is there. Callers hold
// Links.mu, so that no two are promised the same.
func (q *quota) take(n int) bool {
	if q == nil {
		return true
	}
	if q.data > 0 && q.out.Load()+framed(n) > q.room() {
		return false
	}
	q.out.Add(framed(n))
	return true
}

// giveBack returns the room of a frame that did not go.
func (q *quota) giveBack(n int) {
	if q != nil {
		q.out.Add(-framed(n))
	}
}

func (q *quota) cameIn(n int) {
	if q != nil {
		q.in.Add(int64(n) + int64(n)/64 + 32)
	}
}

func (q *quota) wentOut(n int) {
	if q != nil && n > 0 {
		q.out.Add(int64(n) + int64(n)/64 + 32)
	}
}

// left is how many bytes may still be sent; -1: any number.
func (q *quota) left() int64 {
	if q == nil || q.data == 0 {
		return -1
	}
	return max(0, q.room()-q.out.Load())
}

// ends is when the relay resets the circuit; zero: never.
func (q *quota) ends() time.Time {
	if q == nil || q.time == 0 {
		return time.Time{}
	}
	return q.begun.Add(q.time)
}

// low says that a third or less of the bytes is left, either way.
func (q *quota) low() bool {
	return q != nil && q.data >= leastData && max(q.out.Load(), q.in.Load()) > q.data-q.data/3
}

// renewAt is when a circuit should have a successor because its time ends; zero:
// never. Whoever dialled it comes first.
func (q *quota) renewAt(dialled bool) time.Time {
	if q == nil || q.time < leastTime {
		return time.Time{}
	}
	lead := min(max(q.time/4, 5*time.Second), time.Minute)
	if !dialled {
		lead = lead * 2 / 3
	}
	return q.ends().Add(-lead)
}
