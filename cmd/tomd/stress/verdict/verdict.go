// Package verdict says what a phase of a run has shown, and whether that is good
// enough. Pure.
package verdict

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/hist"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
)

// Criterion is something that must hold, and whether it does.
type Criterion struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Pass bool   `json:"pass"`
}

// None wants nothing of it.
func None(name string, got int) Criterion {
	return Criterion{name, "0", strconv.Itoa(got), got == 0}
}

// Exactly wants one number.
func Exactly(name string, got, want int) Criterion {
	return Criterion{name, strconv.Itoa(want), strconv.Itoa(got), got == want}
}

// AtLeast wants a number or more.
func AtLeast(name string, got, want int) Criterion {
	return Criterion{name, "≥ " + strconv.Itoa(want), strconv.Itoa(got), got >= want}
}

// Within wants a time or less.
func Within(name string, got, want time.Duration) Criterion {
	return Criterion{name, "≤ " + short(want), short(got), got <= want}
}

// Fine wants no error.
func Fine(name string, err error) Criterion {
	if err != nil {
		return Criterion{name, "yes", err.Error(), false}
	}
	return Criterion{name, "yes", "yes", true}
}

func short(d time.Duration) string {
	if d > time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// Tolerance is how far a figure may be from the daemons' own, as a share.
const Tolerance = 0.01

// Figure is a number that was counted here, beside what the daemons counted.
type Figure struct {
	Name    string  `json:"name"`
	Ours    float64 `json:"ours"`
	Daemons float64 `json:"daemons"`
	Metric  string  `json:"metric"` // what the daemons call it
	// Killed says that daemons were killed meanwhile, and their last counts with
	// them: the figures are told, and nothing is wanted of them.
	Killed bool `json:"killed"`
}

// Apart is the difference as a share of the daemons' figure.
func (f Figure) Apart() float64 {
	if f.Ours == f.Daemons {
		return 0
	}
	return math.Abs(f.Ours-f.Daemons) / max(1, f.Daemons)
}

// Criterion wants both to be the same within [Tolerance].
func (f Figure) Criterion() Criterion {
	got := fmt.Sprintf("%.0f, theirs %.0f", f.Ours, f.Daemons)
	return Criterion{f.Name + ", as the daemons count", "within 1 %", got, f.Apart() <= Tolerance}
}

// Happening is something that was done to the daemons, or that they noticed.
type Happening struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Step is a part of a phase with times of its own: a size, a recipient, a round.
type Step struct {
	Name    string       `json:"name"`
	Latency hist.Summary `json:"latency"`
}

// Result is what a phase has shown.
type Result struct {
	Phase    string        `json:"phase"`
	About    string        `json:"about"`
	Pass     bool          `json:"pass"`
	NotRun   string        `json:"why_not_run,omitempty"` // why, if it was not
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Sending  time.Duration `json:"sending_ns"` // of that, while messages were sent
	Criteria []Criterion   `json:"criteria"`

	Counts   ledger.Counts  `json:"counts"`
	Spoiled  int            `json:"spoiled"` // came with another body than was sent
	Rate     float64        `json:"delivered_per_second"`
	Latency  hist.Summary   `json:"latency"`  // from before the send to the receipt
	Ways     map[string]int `json:"ways"`     // how they went: direct, relayed, relays, stored
	Asked    int            `json:"asked"`    // of how many that was asked
	Arrivals []int          `json:"arrivals"` // in equal parts of the phase
	Steps    []Step         `json:"steps,omitempty"`
	Gaps     []ledger.Gap   `json:"gaps,omitempty"`
	GapsOver time.Duration  `json:"gaps_over_ns,omitempty"`
	Events   []Happening    `json:"events,omitempty"`
	Figures  []Figure       `json:"figures,omitempty"`
	Notes    []string       `json:"notes,omitempty"`
}

// Want adds criteria.
func (r *Result) Want(cs ...Criterion) { r.Criteria = append(r.Criteria, cs...) }

// Judge sets Pass: something was asked for, and all of it holds.
func (r *Result) Judge() {
	r.Pass = len(r.Criteria) > 0
	for _, c := range r.Criteria {
		r.Pass = r.Pass && c.Pass
	}
}

// ExactlyOnce are the criteria of every phase: each message that was accepted
// came, unspoiled, once, and both ends know.
func (r *Result) ExactlyOnce() {
	c := r.Counts
	r.Want(
		AtLeast("accepted", c.Accepted, 1),
		None("lost", c.Lost),
		None("twice", c.Twice),
		None("without a receipt", c.Unsigned),
		None("receipts for what did not come", c.Untrue),
		None("given up", c.Ended),
		None("came and was never sent", c.Strange),
		None("came under another id", c.Swapped),
		None("spoiled", r.Spoiled),
		Exactly("at the other end", c.Received, c.Accepted+c.Anyway),
	)
}
