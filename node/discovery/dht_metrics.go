package discovery

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// dhtCounters are the DHT's metrics.
type dhtCounters struct {
	records, drops *prometheus.CounterVec
	lookups        *prometheus.HistogramVec
}

func newDHTCounters(reg prometheus.Registerer) *dhtCounters {
	f := promauto.With(reg)
	return &dhtCounters{
		records: f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "discovery", Name: "dht_prekey_records_total",
			Help: "Prekey records that were shown to this node, by what it made of them.",
		}, []string{"outcome"}),
		drops: f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "discovery", Name: "dht_dropped_total",
			Help: "Records of others that were not kept because there were too many.",
		}, []string{"kind"}),
		lookups: f.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "tom", Subsystem: "discovery", Name: "dht_lookup_seconds",
			Help:    "Lookups in the DHT, by what was looked for and how it ended.",
			Buckets: []float64{.03, .1, .3, 1, 3, 10, 30},
		}, []string{"what", "outcome"}),
	}
}

func (c *dhtCounters) record(outcome string) { c.records.WithLabelValues(outcome).Inc() }
func (c *dhtCounters) dropped(kind string)   { c.drops.WithLabelValues(kind).Inc() }

func (c *dhtCounters) looked(what string, err error, took time.Duration) {
	outcome := "found"
	switch {
	case err == nil:
	case errors.Is(err, routing.ErrNotFound), errors.Is(err, ErrNotFound):
		outcome = "not found"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		outcome = "timeout"
	default:
		outcome = "error"
	}
	c.lookups.WithLabelValues(what, outcome).Observe(took.Seconds())
}
