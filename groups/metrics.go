package groups

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// counters are the package's metrics, of all groups together.
type counters struct {
	eventTotal    *prometheus.CounterVec
	frameTotal    *prometheus.CounterVec
	refusedTotal  *prometheus.CounterVec
	sentTotal     *prometheus.CounterVec
	bytesTotal    prometheus.Counter
	unsentTotal   *prometheus.CounterVec
	recordsTotal  prometheus.Counter
	acceptedTotal prometheus.Counter
	groupsGauge   prometheus.Gauge
	servedGauge   prometheus.Gauge
	topicTotal    *prometheus.CounterVec
}

func newCounters(reg prometheus.Registerer) *counters {
	f := promauto.With(reg)
	one := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "tom", Subsystem: "groups", Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Namespace: "tom", Subsystem: "groups", Name: name, Help: help}, []string{label})
	}
	return &counters{
		eventTotal:    vec("events_total", "Events that users were told of.", "what"),
		frameTotal:    vec("frames_refused_total", "Frames of peers that break a rule, or are too many of one who is no member.", "why"),
		refusedTotal:  vec("records_refused_total", "Own records that a hub refused.", "why"),
		sentTotal:     vec("frames_sent_total", "Frames given to the connections.", "protocol"),
		bytesTotal:    one("sent_bytes_total", "Their bytes."),
		unsentTotal:   vec("frames_unsent_total", "Frames that were not sent.", "why"),
		recordsTotal:  one("records_total", "Records that came to stand in a log here."),
		acceptedTotal: one("accepted_total", "Own records that a hub accepted."),
		topicTotal:    vec("topic_total", "What was heard on topics of groups.", "verdict"),
		groupsGauge:   f.NewGauge(prometheus.GaugeOpts{Namespace: "tom", Subsystem: "groups", Name: "groups", Help: "Groups this node is in."}),
		servedGauge:   f.NewGauge(prometheus.GaugeOpts{Namespace: "tom", Subsystem: "groups", Name: "served", Help: "Groups this node serves without being in them."}),
	}
}

func (c *counters) event(w What)              { c.eventTotal.WithLabelValues(string(w)).Inc() }
func (c *counters) frameRefused(err error)    { c.frameTotal.WithLabelValues(why(err)).Inc() }
func (c *counters) frameLeft()                { c.frameTotal.WithLabelValues("often").Inc() }
func (c *counters) refused(r envelope.Reason) { c.refusedTotal.WithLabelValues(r.String()).Inc() }
func (c *counters) unsent(why string)         { c.unsentTotal.WithLabelValues(why).Inc() }
func (c *counters) heard(verdict string)      { c.topicTotal.WithLabelValues(verdict).Inc() }
func (c *counters) record()                   { c.recordsTotal.Inc() }
func (c *counters) accepted()                 { c.acceptedTotal.Inc() }
func (c *counters) rooms(in, served int) {
	c.groupsGauge.Set(float64(in))
	c.servedGauge.Set(float64(served))
}

func (c *counters) sent(protocol string, size int) {
	c.sentTotal.WithLabelValues(protocol).Inc()
	c.bytesTotal.Add(float64(size))
}

// why says in a word what is wrong with a frame.
func why(err error) string {
	switch {
	case errors.Is(err, wire.ErrSignature):
		return "signature"
	case errors.Is(err, wire.ErrForm):
		return "form"
	case errors.Is(err, failover.ErrBranch):
		return "hub record"
	case errors.Is(err, member.ErrHub):
		return "hub"
	}
	return "rule"
}
