package fair

import (
	"testing"
	"time"
)

var tenASecond = Rate{Envelopes: 10, Bytes: 10000, Burst: 2 * time.Second}

// try charges what may come.
func try(m *Meter, now time.Time, n, size int) bool {
	if m.Wait(now, peer(n), tenASecond, size) > 0 {
		return false
	}
	m.Charge(now, peer(n), tenASecond, size)
	return true
}

func TestRateHoldsInEnvelopesAndBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, burst int }{{100, 20}, {4000, 5}} {
		m := NewMeter(8)
		n := 0
		for range 100 {
			if try(m, start, 1, c.size) {
				n++
			}
		}
		if n != c.burst {
			t.Errorf("%d of %d bytes came at once; want %d", n, c.size, c.burst)
		}
		wait := m.Wait(start, peer(1), tenASecond, c.size)
		if want := 2 * time.Second / time.Duration(c.burst); wait != want {
			t.Errorf("wait %v; want %v", wait, want)
		}
		if !try(m, start.Add(wait), 1, c.size) {
			t.Error("and after that it may not come")
		}
		if !try(m, start, 2, c.size) {
			t.Error("another pays for it")
		}
	}
}

func TestMeterOfACrowdStaysSmallAndHoldsItTogether(t *testing.T) {
	t.Parallel()
	m := NewMeter(8)
	n := 0
	for i := range 1000 {
		if try(m, start, i, 100) {
			n++
		}
	}
	if len(m.keys) != 8 || n != 8+20 {
		t.Errorf("%d keys, %d came; want one of each of 8, and of all others what one may", len(m.keys), n)
	}
	if !try(m, start.Add(time.Hour), 5000, 100) || len(m.keys) != 1 {
		t.Errorf("%d keys an hour later", len(m.keys))
	}
}

func TestMeterSurvivesAClockSetBack(t *testing.T) {
	t.Parallel()
	m := NewMeter(8)
	for try(m, start.Add(time.Hour), 1, 100) {
	}
	if w := m.Wait(start, peer(1), tenASecond, 100); w > 100*time.Millisecond {
		t.Errorf("wait %v", w)
	}
}
