package choose

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/relay/reputation"
)

// Network is where an address is: its first three bytes for IPv4, six for IPv6.
type Network string

// NetworkOf is the network of an IP address of 4 or 16 bytes; empty for any
// other length, and for addresses that say nothing about where they are.
func NetworkOf(ip []byte) Network {
	switch {
	case len(ip) == 4 && ip[0] != 127:
		return Network(ip[:3])
	case len(ip) == 16 && !bytes.Equal(ip[:15], make([]byte, 15)):
		return Network(ip[:6])
	}
	return ""
}

// Candidate is a relay that could be asked.
type Candidate struct {
	Peer      protocols.Key
	Networks  []Network // of its addresses
	Connected bool
	Contact   bool // the user knows it
	Offers    bool // it says that it relays for others
	Load      uint8
	RTT       time.Duration // zero: not measured
	Record    reputation.Record
}

// Ranked is a candidate in its place, with why it is there.
type Ranked struct {
	Candidate
	Score   float64
	Dropped bool // it failed just now: to be asked only where there is no other
	Reasons []string
}

// The pause after a failure, and what halves the score for speed.
const (
	firstPause = 5 * time.Second
	longPause  = 10 * time.Minute
	slow       = 200 * time.Millisecond
)

// Rank puts candidates in the order in which to ask them.
func Rank(now time.Time, candidates []Candidate) []Ranked {
	all := make([]Ranked, len(candidates))
	for i, c := range candidates {
		all[i] = judge(now, c)
	}
	slices.SortFunc(all, func(a, b Ranked) int {
		return cmp.Or(
			compareBool(b.Dropped, a.Dropped),
			compareBool(a.Contact, b.Contact),
			cmp.Compare(b.Score, a.Score),
			bytes.Compare(a.Peer[:], b.Peer[:]),
		)
	})
	return spread(all)
}

// compareBool puts what is true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// spread moves those behind whose network is taken already; the dropped stay
// last.
func spread(all []Ranked) []Ranked {
	taken := make(map[Network]bool)
	first, second := make([]Ranked, 0, len(all)), []Ranked(nil)
	var dropped []Ranked
	for _, r := range all {
		switch {
		case r.Dropped:
			dropped = append(dropped, r)
			continue
		case slices.ContainsFunc(r.Networks, func(n Network) bool { return taken[n] }):
			r.Reasons = append(r.Reasons, "in one network with a better one")
			second = append(second, r)
		default:
			first = append(first, r)
		}
		for _, n := range r.Networks {
			taken[n] = true
		}
	}
	return append(append(first, second...), dropped...)
}

// judge scores a candidate by itself.
func judge(now time.Time, c Candidate) Ranked {
	latency := c.Record.Latency
	if latency == 0 {
		latency = c.RTT
	}
	rate := c.Record.SuccessRate()
	speed := 1 / (1 + float64(latency)/float64(slow))
	ease := 1 - 0.75*float64(c.Load)/math.MaxUint8
	back, dropped := comeback(now, c.Record)
	r := Ranked{Candidate: c, Score: rate * speed * ease * back, Dropped: dropped}
	r.Reasons = []string{
		fmt.Sprintf("success %.2f", rate),
		fmt.Sprintf("latency %v", latency.Round(time.Millisecond)),
		fmt.Sprintf("load %.2f", float64(c.Load)/math.MaxUint8),
	}
	if c.Contact {
		r.Reasons = append(r.Reasons, "a contact")
	}
	switch {
	case dropped:
		r.Reasons = append(r.Reasons, fmt.Sprintf("failed %v ago", now.Sub(c.Record.FailedAt).Round(time.Second)))
	case back < 1:
		r.Reasons = append(r.Reasons, "coming back after a failure")
	}
	return r
}

// comeback is the share of its score that a relay has after its last failure,
// and whether it is to be left alone for now.
func comeback(now time.Time, r reputation.Record) (share float64, dropped bool) {
	if r.Streak == 0 {
		return 1, false
	}
	pause := longPause
	if r.Streak <= 8 {
		pause = min(firstPause<<(r.Streak-1), longPause)
	}
	over := now.Sub(r.FailedAt) - pause
	if over < 0 {
		return 0, true
	}
	return 1 - 0.5*math.Exp2(-float64(over)/float64(pause)), false
}
