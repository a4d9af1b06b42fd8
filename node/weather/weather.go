package weather

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols/stream"
)

// Weather is what it is like outside for the streams that are put into it.
type Weather struct {
	forecast Forecast
	count    counters

	pumps sync.WaitGroup // two goroutines a stream

	mu   sync.Mutex // guards the one below
	open []*exposed
}

// New makes weather, with its metrics in reg, which may be nil. A nil Weather is
// fair, and none can be exposed to it.
func New(f Forecast, reg prometheus.Registerer) *Weather {
	return &Weather{forecast: f, count: newCounters(reg)}
}

// Expose returns a stream that goes by raw through the weather, and takes raw
// over.
func (w *Weather) Expose(raw stream.Raw) stream.Raw {
	e := w.newExposed(raw)
	w.mu.Lock()
	e.rank = len(w.open)
	w.open = append(w.open, e)
	w.mu.Unlock()
	w.pumps.Go(e.send)
	w.pumps.Go(e.hear)
	return e
}

// Run kills streams as the forecast has it, until ctx ends.
func (w *Weather) Run(ctx context.Context) error {
	if w == nil || w.forecast.Kills <= 0 {
		<-ctx.Done()
		return nil
	}
	next := time.NewTimer(w.pause())
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			w.strike()
			next.Reset(w.pause())
		}
	}
}

// Wait returns when all streams have ended, which their users see to. No more
// must be exposed from then on.
func (w *Weather) Wait() {
	if w != nil {
		w.pumps.Wait()
	}
}

// pause is how long it is until the next stream is killed: chance has no memory.
func (w *Weather) pause() time.Duration {
	return time.Duration(rand.ExpFloat64() / w.forecast.Kills * float64(time.Second))
}

// strike kills one of the open streams, if there is any.
func (w *Weather) strike() {
	w.mu.Lock()
	var unlucky *exposed
	if n := len(w.open); n > 0 {
		unlucky = w.open[rand.IntN(n)]
	}
	w.mu.Unlock()
	if unlucky != nil {
		w.count.killed.Inc()
		unlucky.kill()
	}
}

// forget takes a stream off the list, and puts the last one in its place.
func (w *Weather) forget(e *exposed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.open[len(w.open)-1]
	w.open[e.rank], last.rank = last, e.rank
	w.open[len(w.open)-1] = nil
	w.open = w.open[:len(w.open)-1]
}

// drops decides on the fate of one frame.
func (w *Weather) drops(direction string) bool {
	if rand.Float64() < w.forecast.Loss {
		w.count.frames.WithLabelValues(direction, "lost").Inc()
		return true
	}
	w.count.frames.WithLabelValues(direction, "passed").Inc()
	return false
}
