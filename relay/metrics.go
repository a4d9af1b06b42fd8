package relay

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/tom-protocol/tom/protocols/envelope"
)

// counters are the package's metrics.
type counters struct {
	forwardedTotal                       prometheus.Counter
	carriedTotal, bytesTotal, busyTotal  prometheus.Counter
	copiesTotal, silentTotal             prometheus.Counter
	refusedTotal                         *prometheus.CounterVec
	flightGauge, bytesGauge, queuedGauge prometheus.Gauge
	wait                                 prometheus.Histogram
	usedTotal                            *prometheus.CounterVec
}

func newCounters(reg prometheus.Registerer) *counters {
	f := promauto.With(reg)
	one := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "tom", Subsystem: "relay", Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "tom", Subsystem: "relay", Name: name, Help: help}, []string{label})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Namespace: "tom", Subsystem: "relay", Name: name, Help: help})
	}
	return &counters{
		forwardedTotal: one("forwarded_total", "Others' envelopes whose turn to be sent to a next hop has come."),
		carriedTotal:   one("carried_total", "Others' envelopes that the next hop has taken."),
		bytesTotal:     one("carried_bytes_total", "Their bytes."),
		busyTotal:      one("busy_total", "Others' envelopes put off."),
		copiesTotal:    one("copies_total", "Copies that were answered with the outcome of the first."),
		silentTotal:    one("silent_total", "Envelopes that the next hop did not answer in time."),
		refusedTotal:   vec("refused_total", "Others' envelopes refused, by this node or the next hop.", "why"),
		flightGauge:    gauge("in_flight", "Others' envelopes given to a next hop that has not answered."),
		bytesGauge:     gauge("in_flight_bytes", "Their bytes."),
		queuedGauge:    gauge("waiting", "Others' envelopes that wait for their turn."),
		wait: f.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tom", Subsystem: "relay", Name: "wait_seconds", Help: "How long others' envelopes waited for their turn.",
			Buckets: []float64{.001, .01, .05, .1, .25, .5},
		}),
		usedTotal: vec("used_total", "Outcomes of own envelopes that were given to a relay.", "outcome"),
	}
}

func (c *counters) carried(size int) {
	c.carriedTotal.Inc()
	c.bytesTotal.Add(float64(size))
}

func (c *counters) answered(a envelope.Answer) {
	switch a.Code {
	case envelope.Busy:
		c.busyTotal.Inc()
	case envelope.Refused:
		c.refusedTotal.WithLabelValues(a.Reason.String()).Inc()
	}
}

func (c *counters) repeated() { c.copiesTotal.Inc() }
func (c *counters) timedOut() { c.silentTotal.Inc() }
func (c *counters) forwarded(waited time.Duration) {
	c.forwardedTotal.Inc()
	c.wait.Observe(waited.Seconds())
}

func (c *counters) outcome(of string) { c.usedTotal.WithLabelValues(of).Inc() }

func (c *counters) flight(n, bytes, waiting int) {
	c.flightGauge.Set(float64(n))
	c.bytesGauge.Set(float64(bytes))
	c.queuedGauge.Set(float64(waiting))
}
