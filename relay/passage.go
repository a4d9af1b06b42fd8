package relay

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/fair"
)

// Times of a passage.
const (
	memory   = 2 * time.Second        // from when an envelope came until another copy of it is forwarded
	perHop   = 250 * time.Millisecond // by which each relay of a chain waits less than the one before
	maxAsked = 4                      // who are told the outcome of one passage
)

// passage is one envelope on its way through this node.
type passage struct {
	digest envelope.Digest
	to     protocols.Key
	next   protocols.Key
	last   bool               // next is the recipient
	frame  []byte             // for the next hop; nil once it was given away
	kept   *envelope.Envelope // to be kept here if the recipient is not reached; nil: it is not
	brief  bool               // a copy that comes by another path is not answered with this outcome
	job    fair.Job

	begun    time.Time
	deadline time.Time // when it is over, answered or not
	dial     bool      // next may be dialled
	stage    stage
	carried  bool            // the next hop has said that it has it
	asked    []Inbound       // who wait for the outcome
	answer   envelope.Answer // the outcome
}

type stage uint8

const (
	queued  stage = iota // waits for its turn
	flying               // on its way to the next hop
	written              // its bytes have left
	keeping              // the recipient is away: it is on its way to the disk here
	over
)

// patience is how long the next hop of an envelope may take that has come over
// so many hops.
func patience(hops uint8) time.Duration {
	return memory - time.Duration(hops)*perHop
}

// passages remembers them for as long as memory says. It is bounded.
type passages struct {
	max      int
	byDigest map[envelope.Digest]*passage
	byShort  map[[16]byte]*passage // as hop answers name them
	order    []*passage            // by begun
}

func newPassages(limit int) passages {
	return passages{max: limit, byDigest: make(map[envelope.Digest]*passage), byShort: make(map[[16]byte]*passage)}
}

// add remembers p; false: there is no room.
func (ps *passages) add(p *passage) bool {
	if len(ps.order) >= ps.max {
		return false
	}
	ps.byDigest[p.digest] = p
	ps.byShort[p.digest.Short()] = p
	ps.order = append(ps.order, p)
	return true
}

// remove forgets p before its time.
func (ps *passages) remove(p *passage) {
	delete(ps.byDigest, p.digest)
	delete(ps.byShort, p.digest.Short())
	if i := slices.Index(ps.order, p); i >= 0 {
		ps.order = slices.Delete(ps.order, i, i+1)
	}
}

// forget drops what is over and was remembered long enough.
func (ps *passages) forget(now time.Time) {
	n := 0
	for _, p := range ps.order {
		if age := now.Sub(p.begun); p.stage != over || age >= 0 && age < memory {
			break
		}
		delete(ps.byDigest, p.digest)
		delete(ps.byShort, p.digest.Short())
		n++
	}
	clear(ps.order[:n])
	ps.order = ps.order[n:]
}
