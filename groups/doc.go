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
// They run in a world of their own, in integration/model, and here in a Service,
// which gives each seat its streams, its disk, its keys and its time. It decides
// nothing that is of the protocol. Every group has a goroutine of its own: it
// takes what has come, writes what must be found again in one commit, and only
// then lets go of what it led to. What cannot be sent is dropped, since all that
// groups say is said again.
//
// Ratchet files and rows keep the order that the keys demand: the own
// chain is on disk before what it sealed leaves, some messages ahead; a message's
// content, sealed until its end, before the chain that opened it moves on there,
// which is within a second.
//
// What is a day old is forgotten: contents at the hour, records when an admin's
// node has signed a snapshot behind which nothing older is needed, and one by which
// their day is over. Who joins is on disk before it asks, and holds the hub to the log
// that its invite spoke of.
//
// After a kick the admin who kicked gives the topic another secret. Keys go to members
// by the hub, which is connected to all of them anyway, each in a box for one; and by
// post to who is away, or does not show soon that it has the key. One that has not come
// is asked for, and answered with what was made for the member that asks.
//
// A node may have a seat in a group that it is not in: as a relay that an admin
// listed, to be hub. Its room has no keys, its user is told nothing of what is in
// it, and what it takes up has bounds (serve.go).
package groups
