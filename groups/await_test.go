package groups_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func accepted(s groups.Standing) bool { return s.Accepted }

// burst lets a node write n messages, so many at a time that are not accepted, and
// returns when all others have the last.
func (c *crowd) burst(ctx context.Context, author, n, window int) error {
	a := c.nodes[author]
	var next atomic.Int64
	var last wire.RecordID
	var end wire.Seq
	var mu sync.Mutex
	errs := make([]error, window)
	var writers sync.WaitGroup
	for i := range window {
		writers.Go(func() {
			for errs[i] == nil && next.Add(1) <= int64(n) {
				id, err := a.Send(ctx, c.group, "text/plain", make([]byte, 256))
				if err != nil {
					errs[i] = err
					return
				}
				var st groups.Standing
				st, errs[i] = a.Await(ctx, c.group, id, accepted)
				mu.Lock()
				if st.Place.Seq > end {
					end, last = st.Place.Seq, id
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	_, err := a.Await(ctx, c.group, last, func(s groups.Standing) bool { return s.Delivered == s.Members })
	return errors.Join(append(errs, err)...)
}

// One author writes as fast as it can; nanoseconds are those of one delivery.
func BenchmarkBurst(b *testing.B) {
	for _, members := range []int{10, 50} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			c := newCrowd(b, members)
			defer c.town.Close()
			c.must(c.burst(b.Context(), 1, 1, 1)) // gives all its key
			b.ResetTimer()
			c.must(c.burst(b.Context(), 1, (b.N+members-2)/(members-1), 512))
		})
	}
}

// Who waits for a record is told when it has come so far, and when it never will,
// or has waited long enough.
func TestWhoWaitsForARecordIsTold(t *testing.T) {
	t.Parallel()
	inTown(t, 4, func(c *crowd) {
		all := func(s groups.Standing) bool { return s.Delivered == s.Members && s.Members == 3 }
		c.must(c.burst(c.t.Context(), 1, 300, 100))
		cut := c.nodes[3].Key
		c.town.Cut(func(a, b protocols.Key) bool { return a == cut || b == cut })
		id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("who hears this?"))
		c.must(err)
		if st, err := c.nodes[1].Await(c.t.Context(), c.group, id, accepted); err != nil || !st.Accepted || st.ID != id {
			c.t.Fatalf("%+v, %v", st, err)
		}
		short, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
		defer cancel()
		if st, err := c.nodes[1].Await(short, c.group, id, all); !errors.Is(err, context.DeadlineExceeded) {
			c.t.Fatalf("one of four is away, and %+v, %v", st, err)
		}
		c.town.Cut(func(a, b protocols.Key) bool { return false })
		if st, err := c.nodes[1].Await(c.t.Context(), c.group, id, all); err != nil || !all(st) {
			c.t.Fatalf("%+v, %v", st, err)
		}
		if _, err := c.nodes[1].Await(c.t.Context(), c.group, wire.RecordID{1}, all); !errors.Is(err, groups.ErrUnknown) {
			c.t.Errorf("a record that nobody wrote: %v", err)
		}
	})
}

// Who waits for a record of a group that ends here is told so.
func TestWhoWaitsIsLeftByNoGroupThatEnds(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		c.must(c.burst(c.t.Context(), 1, 1, 1))
		c.town.Cut(func(a, b protocols.Key) bool { return true })
		id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("nobody hears this"))
		c.must(err)
		ended := make(chan error, 1)
		go func() {
			_, err := c.nodes[1].Await(c.t.Context(), c.group, id, func(groups.Standing) bool { return false })
			ended <- err
		}()
		c.nodes[1].Stop()
		if err := <-ended; !errors.Is(err, groups.ErrGone) {
			c.t.Errorf("%v", err)
		}
	})
}

// An author that writes faster than its hub answers signs many records at once.
func TestWhoWritesMuchSignsItTogether(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		c.must(c.burst(c.t.Context(), 1, 1, 1))
		c.town.Slow(func(from, to protocols.Key) groupstest.Speed { return groupstest.Speed{Delay: 5 * time.Millisecond} })
		if records, frames := c.staggered(400, 100*time.Microsecond); records < 400 || frames > 400/10 {
			c.t.Errorf("%d records went in %d frames", records, frames)
		}
	})
}

// One whose hub is far away waits longer anyway than until more has gathered.
func TestWhoHasMuchUnansweredSignsMoreTogether(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		c.must(c.burst(c.t.Context(), 1, 1, 1))
		c.town.Slow(func(from, to protocols.Key) groupstest.Speed {
			return groupstest.Speed{Delay: 200 * time.Millisecond}
		})
		if records, frames := c.staggered(200, time.Millisecond); records < 200 || frames > 200/8 {
			c.t.Errorf("%d records went in %d frames", records, frames)
		}
	})
}

// staggered has so many write to the group at one node, each a little later than the
// one before, and counts the records that leave it and the frames that carry them.
func (c *crowd) staggered(n int, later time.Duration) (records, frames int64) {
	var sent, in atomic.Int64
	c.town.Drop(func(from, _ protocols.Key, hub bool, frame []byte) bool {
		if p, ok := frameOf[*wire.Publish](hub, frame); ok && from == c.nodes[1].Key {
			in.Add(1)
			sent.Add(int64(len(p.Records)))
		}
		return false
	})
	var writers sync.WaitGroup
	for i := range n {
		writers.Go(func() {
			<-time.After(time.Duration(i) * later)
			if _, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("one of many")); err != nil {
				c.t.Error(err)
			}
		})
	}
	writers.Wait()
	synctest.Wait() // what is on disk has left
	return sent.Load(), in.Load()
}

// A hub refuses what it has taken, or another had. What stands in the log is accepted.
func TestWhatStandsInTheLogIsNotRefused(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		hub, author := c.nodes[0], c.nodes[1]
		c.write(author, "taken", 1)
		c.town.Drop(func(from, _ protocols.Key, _ bool, _ []byte) bool { return from == hub.Key })
		id, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("taken too"))
		c.must(err)
		virtual.Pass(time.Second)
		c.must(c.town.Inject(hub, author, false, wire.AppendFrame(nil, &wire.Refused{Group: c.group, Record: id, Reason: envelope.ReasonPolicy})))
		virtual.Pass(time.Second)
		st, err := author.Status(c.t.Context(), c.group, id)
		if c.must(err); st.Refused != envelope.ReasonPolicy || st.Why != "policy" || st.Accepted {
			c.t.Errorf("it is refused, and is %+v", st)
		}
		c.town.Drop(func(_, _ protocols.Key, _ bool, _ []byte) bool { return false })
		virtual.Pass(5 * time.Second)
		st, err = author.Status(c.t.Context(), c.group, id)
		if c.must(err); st.Refused != 0 || st.Why != "" || !st.Accepted {
			c.t.Errorf("it stands in the log, and is %+v", st)
		}
	})
}
