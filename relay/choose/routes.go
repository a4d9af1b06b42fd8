package choose

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// MaxRoutes is how many routes are laid for one recipient.
const MaxRoutes = 4

// guesses is how many relays of our own are asked, before chains that are known,
// whether the recipient is by chance a neighbour of theirs.
const guesses = 2

// Map is what is known of who hangs on whom.
type Map struct {
	Me, To protocols.Key
	Own    []Candidate // neighbours that may pass on for us
	// Behind are relays that a peer is, or lately was, a neighbour of.
	Behind func(protocols.Key) []protocols.Key
	// Look is what is known of a peer that Behind named.
	Look func(protocols.Key) Candidate
	// Direct says that a peer is connected, or could be dialled without a relay.
	Direct func(protocols.Key) bool
	// Barred says that a relay has just told, asked alone or at all, that it
	// has no way to the recipient.
	Barred func(first protocols.Key, alone bool) bool
}

// Routes lays at most four routes to a recipient, the best first: one relay that
// is known to be the recipient's neighbour; a guess at our own; then chains that
// end at a relay of the recipient's: known ones, and those that join it to one of
// our own.
func Routes(now time.Time, m Map) []delivery.Route {
	own := m.order(now, m.Own)
	var theirs []Candidate
	for _, k := range m.Behind(m.To) {
		if k != m.Me && k != m.To {
			theirs = append(theirs, m.Look(k))
		}
	}
	ranked := m.order(now, theirs)
	var known, long, joined []delivery.Route
	for _, r := range ranked {
		if m.Direct(r) {
			known = append(known, delivery.Route{r})
		}
		long = append(long, m.chains(r)...)
		for _, k := range own {
			if k != r {
				joined = append(joined, delivery.Route{k, r})
			}
		}
	}
	var guessed []delivery.Route
	for _, r := range own {
		if !slices.Contains(ranked, r) {
			guessed = append(guessed, delivery.Route{r})
		}
	}
	few := min(len(guessed), guesses)
	slices.SortStableFunc(long, func(a, b delivery.Route) int { return len(a) - len(b) })
	return m.pick(slices.Concat(known, guessed[:few], long, joined, guessed[few:]))
}

// order ranks candidates; the dropped are left out where there are others.
func (m Map) order(now time.Time, candidates []Candidate) (keys []protocols.Key) {
	for i, r := range Rank(now, candidates) {
		if r.Dropped && i > 0 && len(keys) > 0 {
			break
		}
		if r.Peer != m.To && r.Peer != m.Me {
			keys = append(keys, r.Peer)
		}
	}
	return keys
}

// chains are ways to a relay of the recipient's by those that it is behind
// itself, up to the greatest length.
func (m Map) chains(last protocols.Key) (all []delivery.Route) {
	ends := []delivery.Route{{last}}
	for len(ends) > 0 && len(ends[0]) < envelope.MaxHops && len(all) < MaxRoutes {
		var longer []delivery.Route
		for _, end := range ends {
			for _, k := range m.Behind(end[0]) {
				if k == m.Me || k == m.To || slices.Contains(end, k) || len(longer) >= MaxRoutes {
					continue
				}
				r := append(delivery.Route{k}, end...)
				if m.Direct(k) {
					all = append(all, r)
					continue
				}
				longer = append(longer, r)
			}
		}
		ends = longer
	}
	return all
}

// pick takes the first few, no route twice, none over a relay that knows no way.
func (m Map) pick(routes []delivery.Route) (few []delivery.Route) {
	for _, r := range routes {
		if len(few) == MaxRoutes {
			break
		}
		if m.Barred(r[0], len(r) == 1) || slices.ContainsFunc(few, func(f delivery.Route) bool { return slices.Equal(f, r) }) {
			continue
		}
		few = append(few, r)
	}
	return few
}
