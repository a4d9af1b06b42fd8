// Package holder keeps sealed envelopes for those who are away, has this node's
// own messages kept by others, and brings this node the mail that waits for it.
// What is decided is decided by the backup.Keeper, which one goroutine owns;
// here it gets its input from streams, its disk and its clock.
//
//	stream ─ parse ─ verify ─► keeper ─► disk (synced) ─► keeper ─► signature
//	keeper ─► questions ─► lines ─► answers ─ verify ─► keeper
//
// A copy is on disk before it is signed for; a receipt is verified before
// anything is destroyed for it.
package holder
