package courier

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/proof"
)

var errForeignReceipt = errors.New("receipt that is not for this node or does not verify")

// Counters are the courier's metrics.
type Counters struct {
	receivedTotal   prometheus.Counter
	duplicatesTotal prometheus.Counter
	busyTotal       prometheus.Counter
	rejectedTotal   *prometheus.CounterVec
	refusedTotal    *prometheus.CounterVec
	endedTotal      *prometheus.CounterVec
	droppedTotal    prometheus.Counter
	ways            [delivery.Ways]wayCounters
}

// wayCounters count what went by one kind of path.
type wayCounters struct {
	sent, copies prometheus.Counter
	fates        [delivery.Fates]prometheus.Counter
}

// NewCounters makes the metrics and registers them.
func NewCounters(r prometheus.Registerer) *Counters {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tom", Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tom", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	sent := vec("sent_total", "Envelopes of own messages sent, copies included.", "path")
	copies := vec("copies_total", "Of those, envelopes that had been sent before.", "path")
	fates := vec("sent_outcomes_total", "What came of envelopes that were sent.", "path", "outcome")
	c := &Counters{
		receivedTotal:   counter("received_total", "Messages stored in the inbox."),
		duplicatesTotal: counter("duplicates_total", "Copies of messages that were in the inbox already."),
		busyTotal:       counter("busy_total", "Envelopes put off because the inbox or the disk was full."),
		rejectedTotal:   vec("rejected_total", "Frames dropped for what is wrong with them.", "why"),
		refusedTotal:    vec("refused_total", "Verified envelopes refused.", "why"),
		endedTotal:      vec("ended_total", "Own messages by the state they ended in.", "state"),
		droppedTotal:    counter("receipts_dropped_total", "Receipts dropped because too many were pending."),
	}
	for i := range c.ways {
		w, path := &c.ways[i], delivery.Way(i).String()
		w.sent, w.copies = sent.WithLabelValues(path), copies.WithLabelValues(path)
		for fate := range w.fates {
			w.fates[fate] = fates.WithLabelValues(path, delivery.Fate(fate).String())
		}
	}
	return c
}

// tally adds what was done since the last call and returns what it was told.
func (c *Counters) tally(last, now delivery.Tally) delivery.Tally {
	for i := range now {
		if now[i] == last[i] {
			continue
		}
		w, is, was := &c.ways[i], &now[i], &last[i]
		w.sent.Add(float64(is.Sent - was.Sent))
		w.copies.Add(float64(is.Copies - was.Copies))
		for fate, counter := range w.fates {
			counter.Add(float64(is.Fates[fate] - was.Fates[fate]))
		}
	}
	return now
}

func (c *Counters) received()                   { c.receivedTotal.Inc() }
func (c *Counters) duplicate()                  { c.duplicatesTotal.Inc() }
func (c *Counters) busied()                     { c.busyTotal.Inc() }
func (c *Counters) receiptsDropped(n int)       { c.droppedTotal.Add(float64(n)) }
func (c *Counters) refused(why envelope.Reason) { c.refusedTotal.WithLabelValues(why.String()).Inc() }

func (c *Counters) ended(r *delivery.Report) { c.endedTotal.WithLabelValues(r.State.String()).Inc() }

func (c *Counters) rejected(err error) { c.rejectedTotal.WithLabelValues(kindOf(err)).Inc() }

// kindOf keeps the label's values few.
func kindOf(err error) string {
	switch {
	case errors.Is(err, proof.ErrProof):
		return "proof"
	case errors.Is(err, envelope.ErrUnopenable):
		return "unopenable"
	case errors.Is(err, errForeignReceipt):
		return "receipt"
	}
	return "malformed"
}
