package clock

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// machine is a computer whose wall clock can be set and which can be put to
// sleep.
type machine struct {
	wall          time.Time
	passed, slept time.Duration
}

func (m *machine) run(d time.Duration) { m.wall, m.passed = m.wall.Add(d), m.passed+d }
func (m *machine) set(d time.Duration) { m.wall = m.wall.Add(d) }
func (m *machine) nap(d time.Duration) { m.wall, m.slept = m.wall.Add(d), m.slept+d }

func (m *machine) clock(floor time.Time) *Clock {
	return newClock(floor, func() time.Duration { return m.slept }, func() reading {
		return reading{wall: m.wall, passed: m.passed}
	})
}

func someone(n byte) protocols.Key { return protocols.Key{n} }

func TestFollowsTheWall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(time.Now, time.Time{})
		for _, d := range []time.Duration{0, time.Millisecond, 30 * time.Hour} {
			virtual.Pass(d)
			if got := c.Now(); !got.Equal(time.Now()) {
				t.Fatalf("after %v the clock tells %v, the wall %v", d, got, time.Now())
			}
		}
		if !c.Destroying() {
			t.Error("in doubt although time just passed")
		}
	})
}

func TestNeverRunsBackward(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{wall: epoch}
		floor := epoch.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "floor")))
		c := m.clock(floor)
		last := floor
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			m.set(time.Duration(rapid.Int64Range(-1e14, 1e14).Draw(t, "set")))
			m.run(time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "run")))
			now := c.Now()
			if now.Before(last) || now.Before(m.wall) {
				t.Fatalf("tells %v after %v, the wall %v", now, last, m.wall)
			}
			last = now
		}
	})
}

func TestWallSetBackIsAwaitedAtHalfSpeed(t *testing.T) {
	t.Parallel()
	m := &machine{wall: epoch}
	c := m.clock(time.Time{})
	m.set(-10 * time.Minute)
	m.run(10 * time.Minute)
	if got := c.Now().Sub(epoch); got != 5*time.Minute {
		t.Errorf("ten minutes after the wall was set back by ten the clock went %v, want 5m", got)
	}
	m.run(10 * time.Minute)
	if got := c.Now(); !got.Equal(m.wall) {
		t.Errorf("tells %v, but the wall has caught up at %v", got, m.wall)
	}
	if !c.Destroying() {
		t.Error("in doubt after a step back")
	}
}

func TestLeapDestroysNothingUntilTwoPeersAgree(t *testing.T) {
	t.Parallel()
	m := &machine{wall: epoch}
	c := m.clock(time.Time{})
	c.Observe(someone(1), 0)
	c.Observe(someone(2), 0)
	m.set(61 * time.Minute)
	if c.Destroying() {
		t.Fatal("no doubt after a leap of 61 minutes")
	}
	c.Observe(someone(1), -61*time.Minute)
	c.Observe(someone(2), time.Minute)
	c.Observe(someone(2), 2*time.Minute)
	if c.Destroying() {
		t.Fatal("one peer alone was believed")
	}
	c.Observe(someone(3), -time.Minute)
	if !c.Destroying() {
		t.Error("still in doubt although two peers agree")
	}
}

// Two others make it sure of its time, whatever the one says whom it doubts.
func TestTwoOthersBearTheClockOut(t *testing.T) {
	t.Parallel()
	c := (&machine{wall: epoch}).clock(time.Time{})
	c.Observe(someone(1), time.Minute)
	c.Observe(someone(2), -time.Minute)
	c.Observe(someone(3), time.Hour)
	for peer, want := range map[byte]bool{1: false, 2: false, 3: true, 4: true} {
		if got := c.Agreed(someone(peer)); got != want {
			t.Errorf("besides %d: %v", peer, got)
		}
	}
}

func TestForgottenPeersDoNotAgree(t *testing.T) {
	t.Parallel()
	m := &machine{wall: epoch}
	c := m.clock(time.Time{})
	m.set(2 * time.Hour)
	c.Now()
	c.Observe(someone(1), 0)
	c.Forget(someone(1))
	c.Observe(someone(2), 0)
	if c.Destroying() {
		t.Error("a peer that left counted")
	}
}

func TestSmallLeapsAndSleepAreBelieved(t *testing.T) {
	t.Parallel()
	m := &machine{wall: epoch}
	c := m.clock(time.Time{})
	for range 10 {
		m.set(59 * time.Minute)
		m.run(time.Second)
		if !c.Destroying() {
			t.Fatal("in doubt after a leap of less than an hour")
		}
	}
	m.nap(9 * time.Hour)
	if !c.Destroying() {
		t.Fatal("in doubt after a night's sleep")
	}
	m.set(9 * time.Hour)
	if c.Destroying() {
		t.Error("the same sleep excused a second leap")
	}
}

func TestLeapFromBehindTheFloorIsMeasuredFromIt(t *testing.T) {
	t.Parallel()
	m := &machine{wall: time.Unix(0, 0)}
	c := m.clock(epoch)
	m.run(time.Second)
	m.wall = epoch.Add(10 * time.Minute) // the network told the time
	if !c.Destroying() {
		t.Error("in doubt although the clock moved by ten minutes only")
	}
}

func TestOffsetIsTheMedianOfThree(t *testing.T) {
	t.Parallel()
	c := New(time.Now, time.Time{})
	c.Observe(someone(1), time.Hour)
	c.Observe(someone(2), 2*time.Second)
	if _, ok := c.Offset(); ok {
		t.Error("two peers made a median")
	}
	c.Observe(someone(3), time.Second)
	if got, ok := c.Offset(); !ok || got != 2*time.Second {
		t.Errorf("got %v, %v; want 2s", got, ok)
	}
	c.Observe(someone(4), 3*time.Second)
	if got, _ := c.Offset(); got != 2500*time.Millisecond {
		t.Errorf("got %v; want 2.5s", got)
	}
}

func TestPeersAreBounded(t *testing.T) {
	t.Parallel()
	p := make(peers)
	for i := range 2 * maxPeers {
		p.note(protocols.Key{byte(i), byte(i >> 8)}, 0)
	}
	if len(p) != maxPeers {
		t.Errorf("%d peers are remembered, at most %d may be", len(p), maxPeers)
	}
}

func BenchmarkNow(b *testing.B) {
	c := New(time.Now, time.Time{})
	for b.Loop() {
		c.Now()
	}
}
