package links

import (
	"github.com/ipfs/go-log/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var logger = log.Logger("tom/links")

// counters are the package's metrics.
type counters struct {
	out, in, frames, misdeeds *prometheus.CounterVec
	renewals                  *prometheus.CounterVec
	lost, dead, helloFailed   prometheus.Counter
	beats                     prometheus.Counter
}

func newCounters(reg prometheus.Registerer) *counters {
	f := promauto.With(reg)
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "tom", Subsystem: "links", Name: name, Help: help}, labels)
	}
	one := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "tom", Subsystem: "links", Name: name, Help: help})
	}
	return &counters{
		out:         vec("streams_opened_total", "Streams this node has tried to open.", "protocol", "outcome"),
		in:          vec("streams_served_total", "Streams that neighbours have opened here, once they ended.", "protocol", "outcome"),
		frames:      vec("frames_received_total", "Frames received, on neighbours' streams or in answer on ours.", "protocol", "direction"),
		misdeeds:    vec("misbehaviour_total", "Streams ended because the neighbour broke the rules.", "protocol"),
		renewals:    vec("circuits_renewed_total", "Circuits dialled to replace one whose limit was near.", "outcome"),
		beats:       one("beats_sent_total", "Beats sent."),
		lost:        one("lines_lost_total", "Own envelope streams that broke."),
		dead:        one("connections_dead_total", "Connections closed because they showed no sign of life."),
		helloFailed: one("hellos_unanswered_total", "Hellos that were not answered, or not understood."),
	}
}

func (c *counters) opened(k kind, outcome string) {
	c.out.WithLabelValues(k.String(), outcome).Inc()
}

func (c *counters) served(k kind, o outcome) {
	c.in.WithLabelValues(k.String(), string(o)).Inc()
}

func (c *counters) received(k kind, direction string, n int) {
	c.frames.WithLabelValues(k.String(), direction).Add(float64(n))
}

func (c *counters) renewed(err error) {
	outcome := "renewed"
	if err != nil {
		outcome = "failed"
	}
	c.renewals.WithLabelValues(outcome).Inc()
}

func (c *counters) misbehaved(k kind) { c.misdeeds.WithLabelValues(k.String()).Inc() }
