package weather

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// counters are the package's metrics.
type counters struct {
	frames *prometheus.CounterVec
	killed prometheus.Counter
}

func newCounters(reg prometheus.Registerer) counters {
	f := promauto.With(reg)
	return counters{
		frames: f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "weather", Name: "frames_total",
			Help: "Frames that came into bad weather, by what became of them.",
		}, []string{"direction", "fate"}),
		killed: f.NewCounter(prometheus.CounterOpts{
			Namespace: "tom", Subsystem: "weather", Name: "streams_killed_total",
			Help: "Streams that bad weather has reset.",
		}),
	}
}
