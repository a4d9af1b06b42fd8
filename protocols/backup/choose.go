package backup

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Place is the network that a node is in, an IPv4 /24 or an IPv6 /48, in any
// form that compares. Empty means that it is not known.
type Place string

// Candidate is a node that may hold envelopes, as this node sees it.
type Candidate struct {
	Key    protocols.Key
	Place  Place
	Offers bool          // it announces that it takes on the role
	Uptime time.Duration // as far as this node knows
	Known  time.Duration // since this node first connected to it
	Near   bool          // a contact of the recipient, or named by its presence
}

// newcomer is who this node has known for less than a day.
const newcomer = 24 * time.Hour

// score is the rank of a node among the holders of a recipient's mail as a
// number, higher is better: weighted rendezvous hashing (Thaler and
// Ravishankar 1998; weights by Schindelhauer and Schomaker 2005).
func (c *Candidate) score(recipient protocols.Key) float64 {
	h := (float64(Rank(recipient, c.Key)) + 0.5) / (1 << 64)
	return -c.weight() / math.Log(h)
}

// weight is coarse, so that nodes that know different things of a candidate
// agree on it most of the time.
func (c *Candidate) weight() float64 {
	w := 1.0
	if c.Offers {
		w *= 2
	}
	switch {
	case c.Uptime >= 24*time.Hour:
		w *= 3
	case c.Uptime >= time.Hour:
		w *= 2
	}
	return w
}

// Rank is the rank of a node among the holders of a recipient's mail with all
// weights equal: the one that all holders agree on. Higher comes first.
func Rank(recipient, holder protocols.Key) uint64 {
	const domain = "tom-holder"
	var b [len(domain) + 2*protocols.KeySize]byte
	n := copy(b[:], domain)
	n += copy(b[n:], recipient[:])
	copy(b[n:], holder[:])
	sum := sha256.Sum256(b[:])
	return binary.BigEndian.Uint64(sum[:])
}

// Sort puts candidates in the order in which a recipient's mail is brought to
// them, and looked for: who is near it first, then by rank.
func Sort(recipient protocols.Key, candidates []Candidate) {
	type ranked struct {
		Candidate
		score float64
	}
	all := make([]ranked, len(candidates))
	for i, c := range candidates {
		all[i] = ranked{c, c.score(recipient)}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if a.Near != b.Near {
			if a.Near {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.score, a.score), slices.Compare(a.Key[:], b.Key[:]))
	})
	for i := range all {
		candidates[i] = all[i].Candidate
	}
}

// Choose returns up to n of the sorted candidates to hold an envelope beside
// those that do already. Where others exist, no two are in one place, and at
// most one is a newcomer.
func Choose(sorted, already []Candidate, n int) []Candidate {
	c := choice{chosen: slices.Clone(already)}
	// The earlier rules are given up last.
	for _, rules := range []rules{{apart: true, seasoned: true}, {apart: true}, {seasoned: true}, {}} {
		for i := range sorted {
			if len(c.chosen) >= len(already)+n {
				break
			}
			if c.allows(&sorted[i], rules) {
				c.chosen = append(c.chosen, sorted[i])
			}
		}
	}
	return c.chosen[len(already):]
}

type rules struct {
	apart    bool // no two in one place
	seasoned bool // at most one newcomer
}

type choice struct{ chosen []Candidate }

func (c *choice) allows(x *Candidate, r rules) bool {
	newcomers := 0
	for i := range c.chosen {
		y := &c.chosen[i]
		if y.Key == x.Key || r.apart && x.Place != "" && x.Place == y.Place {
			return false
		}
		if y.Known < newcomer {
			newcomers++
		}
	}
	return !r.seasoned || x.Known >= newcomer || newcomers == 0
}
