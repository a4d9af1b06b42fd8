// Package groups is the place of conversations of more than two: a signed,
// hash-chained log with a 24-hour tail, sequenced by a hub that can neither read
// nor forge nor admit, and that is replaced when it fails. The rules are pure
// code, in packages of their own:
//
//	wire       the structures and frames
//	roster     who is a member with which rights
//	senderkey  the keys of the content
//	journal    the log as one node holds it
//	ledger     the log with the roster that follows from it
//	failover   who is hub: beats, doubt, claims, merges
//	hub        the sequencer
//	member     publishing, following the log, bringing back what it lacks
//	seat       these together, for one node in one group
//
// They run in a world of their own, in integration/model. No node runs them yet:
// there is no service that would give a seat its streams, its disk and its
// timer, and content is not sealed with senderkey on its way into a seat. Not
// here either: the purge of what is a day old, and snapshots for those who come
// later than that.
package groups
