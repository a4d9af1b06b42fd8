package hist

import "time"

// Summary is what is told of a distribution, in milliseconds.
type Summary struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean_ms"`
	Min   float64 `json:"min_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
	Bars  []Bar   `json:"bars"`
}

// Summary sums the histogram up.
func (h *Histogram) Summary() Summary {
	s := Summary{
		Count: h.total, Min: ms(micros(h.least)), Max: ms(micros(h.most)), Bars: h.Bars(),
		P50: ms(h.Quantile(0.5)), P90: ms(h.Quantile(0.9)), P99: ms(h.Quantile(0.99)), P999: ms(h.Quantile(0.999)),
	}
	if h.total > 0 {
		s.Mean = h.sum / float64(h.total) / 1000
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
