package holder

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// counters are the service's metrics.
type counters struct {
	questions *prometheus.CounterVec // put to others, by type
	answers   *prometheus.CounterVec // given, by code
	replies   *prometheus.CounterVec // of others, by what they are worth
	ends      *prometheus.CounterVec // of copies, by cause
	refused   *prometheus.CounterVec // frames that break the rules
	mail      *prometheus.CounterVec // envelopes pushed and fetched
	kept      prometheus.Gauge
	bytes     prometheus.Gauge
	looked    time.Time
}

func newCounters(r prometheus.Registerer) *counters {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tom", Subsystem: "backup", Name: name, Help: help}, []string{label})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tom", Subsystem: "backup", Name: name, Help: help})
	}
	c := &counters{
		questions: vec("questions_total", "Questions put to holders and recipients' holders.", "type"),
		answers:   vec("answers_total", "Answers given to others.", "code"),
		replies:   vec("replies_total", "Answers of others.", "worth"),
		ends:      vec("ends_total", "Copies that were let go of.", "cause"),
		refused:   vec("misbehaved_total", "Frames that broke the rules.", "fault"),
		mail:      vec("mail_total", "Envelopes on their way to their recipient.", "way"),
		kept:      gauge("copies", "Copies kept for others."),
		bytes:     gauge("bytes", "Bytes of copies kept for others, with overhead."),
	}
	if r != nil {
		r.MustRegister(c.questions, c.answers, c.replies, c.ends, c.refused, c.mail, c.kept, c.bytes)
	}
	return c
}

func (c *counters) asked(f backup.Frame) {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", f), ".")
	c.questions.WithLabelValues(strings.ToLower(name)).Inc()
}

var codeNames = map[backup.Code]string{
	backup.Stored: "stored", backup.Busy: "busy", backup.Refused: "refused", backup.Envelopes: "envelopes",
	backup.Hash: "hash", backup.Wanted: "wanted", backup.Gone: "gone", backup.Done: "done",
}

// answered counts an answer that was given. Who floods, asks for what is not its
// own, or brings back what has ended shows up here.
func (c *counters) answered(a *backup.Answer) {
	code := codeNames[a.Code]
	switch {
	case a.Code == backup.Refused:
		code += ": " + a.Reason.String()
	case a.Code == backup.Hash && a.Hash == nil:
		code = "not held"
	case a.Code == backup.Envelopes && len(a.Envelopes) == 0:
		code = "no mail"
	}
	c.answers.WithLabelValues(code).Inc()
}

// replied counts what an answer is worth: who does not prove what it promised
// shows up here.
func (c *counters) replied(from protocols.Key, r *backup.Reply, asked bool) {
	worth := codeNames[r.Code]
	switch {
	case !asked:
		worth = "unasked"
	case r.Code == backup.Hash && !r.Proved:
		worth = "not proved"
	case r.Code == backup.Stored && (r.Storage == nil || r.Storage.Holder != from):
		worth = "not signed"
	}
	c.replies.WithLabelValues(worth).Inc()
}

func (c *counters) destroyed(receipt bool) {
	cause := "end"
	if receipt {
		cause = "receipt"
	}
	c.ends.WithLabelValues(cause).Inc()
}

func (c *counters) rejected(err error) {
	fault := "frame"
	switch {
	case errors.Is(err, ack.ErrReceipt):
		fault = "receipt"
	case errors.Is(err, backup.ErrAdmission):
		fault = "admission"
	case errors.Is(err, envelope.ErrForm), errors.Is(err, envelope.ErrVersion), errors.Is(err, errRelayed):
		fault = "envelope"
	}
	c.refused.WithLabelValues(fault).Inc()
}

func (c *counters) pushed()       { c.mail.WithLabelValues("pushed").Inc() }
func (c *counters) fetched(n int) { c.mail.WithLabelValues("fetched").Add(float64(n)) }

// usage shows what is kept, looked at no more than once in five seconds.
func (c *counters) usage(look func() backup.Usage) {
	if now := time.Now(); now.Sub(c.looked) > 5*time.Second {
		c.looked = now
		u := look()
		c.kept.Set(float64(u.Copies))
		c.bytes.Set(float64(u.Bytes))
	}
}
