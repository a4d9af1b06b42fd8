package reputation

import (
	"math"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// What work is worth, and what its measures are held between.
const (
	HalfLife = 24 * time.Hour // in which every count halves

	Floor   = 1.0 / 8 // the least weight
	Ceiling = 8.0     // the greatest weight

	answerWorth  = 0.25      // of a hop answer alone; a receipt adds what is missing to 1
	receiptWorth = 0.75      //
	workUnit     = 64 << 10  // bytes that count as one more envelope of work
	latencyShare = 1.0 / 8   // of the newest measure in the smoothed latency
	maxPeers     = 4096      // remembered; one of the least to be missed makes room
	negligible   = 1.0 / 128 // a count below it is none
)

// Record is what is known of one peer. Its counts are as of At, and fade from
// then on.
type Record struct {
	Peer    protocols.Key
	At      time.Time // when the counts were brought up to date
	Work    float64   // envelopes it passed on for us, weighed by the evidence
	Success float64   // hop answers that said it has an envelope
	Proved  float64   // receipts for what it had taken
	Silent  float64   // no answer, or no way on
	Lost    float64   // taken, and never heard of again
	Served  float64   // what we passed on for it, in envelopes of 64 KiB at most
	Latency time.Duration
	Used    time.Time // when it last worked for us, or failed to

	Streak   int       // failures since the last success
	FailedAt time.Time // the last failure
}

// faded is the record as it stands at a later time.
func (r Record) faded(now time.Time) Record {
	age := now.Sub(r.At)
	if age <= 0 {
		return r // a clock set back gives nobody credit
	}
	left := math.Exp2(-age.Hours() / HalfLife.Hours())
	for _, count := range []*float64{&r.Work, &r.Success, &r.Proved, &r.Silent, &r.Lost, &r.Served} {
		if *count *= left; *count < negligible {
			*count = 0
		}
	}
	r.At = now
	return r
}

// weight is the product of the terms, held between floor and ceiling.
func (r Record) weight() float64 {
	w := 1.0
	for _, t := range r.terms() {
		w *= t.Factor
	}
	return min(max(w, Floor), Ceiling)
}

// Term is one factor of a weight, for whoever asks why.
type Term struct {
	Name   string  // what was measured
	Count  float64 // how much of it is left
	Factor float64 // by what it multiplies the weight
}

func (r Record) terms() []Term {
	return []Term{
		{Name: "work done for this node", Count: r.Work, Factor: 1 + r.Work},
		{Name: "failures", Count: r.Silent, Factor: 1 / (1 + r.Silent)},
		{Name: "taken and lost", Count: r.Lost, Factor: 1 / (1 + r.Lost)},
		{Name: "work done by this node for it", Count: r.Served, Factor: 1 / math.Sqrt(1+r.Served)},
	}
}

// Explanation is why a peer has the weight that it has.
type Explanation struct {
	Record
	Known  bool // something was measured; else all is neutral
	Weight float64
	Terms  []Term // their product is the weight, before it is held within bounds
}

// SuccessRate is the share of envelopes given to the peer that it passed on, in
// doubt 1/2 to begin with: a peer that was never tried is neither good nor bad.
func (r Record) SuccessRate() float64 {
	good, bad := max(r.Success-r.Lost, 0)+r.Proved, r.Silent+2*r.Lost
	return (1 + good) / (2 + good + bad)
}
