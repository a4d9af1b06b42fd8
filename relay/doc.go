// Package relay is the place of everything a node does for envelopes that are
// not its own. One pure function decides for each whether to deliver, forward,
// store or reject it (relay/route); others choose whom to ask to relay
// (relay/choose), which roles to take up by circumstance (relay/role), what a
// peer's work has been worth (relay/reputation) and whose turn it is under load
// (relay/fair). The service in this package does the reading, writing and timing
// around them. A relay can neither read nor forge what it passes on.
//
//	      Carry                    Answered
//	in ─► decide ─► meters ─► queue ─► next hop ─► answer ─► back to who asked
//	         │         │        │          │
//	         └ refused └ busy   └ busy     └ no answer in time: busy, or no route
//
// Whom a node carries for: with the role of a relay anybody; without it, as a
// node behind a router, only where the peer that asks, the author or the
// recipient is a friend, that is, no stranger; with the role forbidden (mode
// off) nobody. Who is not carried for is told so (refused, policy).
//
// A passage, one envelope on its way through, is remembered for two seconds from
// when it came, by the digest. A copy within that time is not forwarded: it gets
// the outcome of the first. Nothing is written down: what a relay forgets when
// it stops, its author sends again.
//
// The way an author's envelopes came is remembered for ten minutes as the way
// back to it: an answer to a stranger finds its way although nobody but the
// relays in between knows it. It counts only where there is no better way, and
// until it fails once.
//
// What is told upstream is what the next hop has said. If that says nothing, it
// is busy where the next hop answers other envelopes meanwhile, and no route
// where it is silent altogether. Each relay of a chain waits a quarter of a
// second less than the one before, so that the relay next to the silence tells
// of it, and nobody takes an honest relay for the silent one.
package relay
