package hist

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantilesAreRightToOnePercent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, longest), 1, 300).Draw(t, "microseconds")
		var h Histogram
		for _, v := range values {
			h.Observe(time.Duration(v) * time.Microsecond)
		}
		slices.Sort(values)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 1} {
			rank := max(1, int(math.Ceil(q*float64(len(values)))))
			exact := time.Duration(values[rank-1]) * time.Microsecond
			got := h.Quantile(q)
			if got < exact || float64(got) > float64(exact)*(1+1.0/perHalf)+1 {
				t.Fatalf("quantile %v of %v is %v, and says %v", q, values, exact, got)
			}
		}
	})
}

func TestEveryValueFallsIntoItsBucket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := uint64(rapid.Int64Range(0, longest).Draw(t, "v"))
		i := bucketOf(v)
		if i >= buckets || v < lowest(i) || v > highest(i) {
			t.Fatalf("%d is in bucket %d, from %d to %d", v, i, lowest(i), highest(i))
		}
	})
	for i := 1; i < buckets; i++ {
		if lowest(i) != highest(i-1)+1 {
			t.Fatalf("bucket %d begins at %d, and the one before ends at %d", i, lowest(i), highest(i-1))
		}
	}
}

func TestWhatIsOutOfRangeCountsAtTheEnds(t *testing.T) {
	t.Parallel()
	var h Histogram
	h.Observe(-time.Second)
	h.Observe(1000 * 24 * time.Hour)
	if h.Quantile(0.5) != 0 || h.Quantile(1) != longest*time.Microsecond || h.Count() != 2 {
		t.Errorf("%v, %v, %d", h.Quantile(0.5), h.Quantile(1), h.Count())
	}
}

func TestAddIsObservingBoth(t *testing.T) {
	t.Parallel()
	var one, two, both Histogram
	for i := range 1000 {
		h := &one
		if i%3 == 0 {
			h = &two
		}
		d := time.Duration(i*i) * time.Microsecond
		h.Observe(d)
		both.Observe(d)
	}
	var sum Histogram
	sum.Add(&Histogram{})
	sum.Add(&one)
	sum.Add(&two)
	if sum != both {
		t.Errorf("%+v, want %+v", sum.Summary(), both.Summary())
	}
}

func TestBarsHaveNoHoles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h Histogram
		values := rapid.SliceOfN(rapid.Int64Range(0, 1<<32), 0, 50).Draw(t, "microseconds")
		for _, v := range values {
			h.Observe(time.Duration(v) * time.Microsecond)
		}
		bars, total := h.Bars(), uint64(0)
		for i, b := range bars {
			total += b.Count
			if i > 0 && b.From != next(bars[i-1].From) {
				t.Fatalf("after %v comes %v", bars[i-1].From, b.From)
			}
		}
		if total != uint64(len(values)) || len(bars) > 0 && (bars[0].Count == 0 || bars[len(bars)-1].Count == 0) {
			t.Fatalf("%v of %v", bars, values)
		}
	})
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var h Histogram
	for i := range 100 {
		h.Observe(time.Duration(i+1) * time.Millisecond)
	}
	s := h.Summary()
	if s.Count != 100 || s.Mean != 50.5 || s.Min != 1 || s.P999 != 100 || s.Max != 100 {
		t.Errorf("%+v", s)
	}
	if s.P50 < 50 || s.P50 > 50.4 || s.P90 < 90 || s.P90 > 90.8 || s.P99 < 99 || s.P99 > 99.8 {
		t.Errorf("%+v", s)
	}
}
