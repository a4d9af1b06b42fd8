// Package reputation is what this node has measured of its peers' work. It is
// this node's own, never told to others and never taken from them.
//
// Credit goes to who did the work, on evidence: a hop answer says that a relay
// has an envelope, a receipt says that it came to its recipient. Blame goes to
// who answered nothing, or took and dropped. Every count halves each day, so a
// peer nobody has dealt with lately is what it was before: neutral. From the
// counts comes one weight, the share a peer has of a relay that is contended:
//
//	weight = (1 + work done for us) / ((1 + failures) · √(1 + work done for it))
//
// held between a floor above zero and a ceiling, 1 being neutral. Nobody is ever
// shut out, and nobody can buy more than the ceiling.
package reputation
