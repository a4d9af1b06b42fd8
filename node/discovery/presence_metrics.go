package discovery

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// presenceCounters are the metrics of presence.
type presenceCounters struct {
	records, bytes *prometheus.CounterVec
	own            prometheus.Counter
}

func newPresenceCounters(reg prometheus.Registerer, size func() int) *presenceCounters {
	f := promauto.With(reg)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "tom", Subsystem: "discovery", Name: "presences",
		Help: "Nodes that say they offer a role.",
	}, func() float64 { return float64(size()) })
	vec := func(name, help string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "discovery", Name: name, Help: help,
		}, []string{"outcome"})
	}
	return &presenceCounters{
		records: vec("presence_records_total", "Presences that neighbours passed on, by what became of them."),
		bytes:   vec("presence_bytes_total", "Bytes of presences that neighbours passed on, by what became of them."),
		own: f.NewCounter(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "discovery", Name: "presence_published_total", Help: "Own presences that were published.",
		}),
	}
}

func (c *presenceCounters) judged(v verdict, size int) {
	c.records.WithLabelValues(string(v)).Inc()
	c.bytes.WithLabelValues(string(v)).Add(float64(size))
}
