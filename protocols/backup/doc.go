// Package backup is how nodes keep sealed envelopes for a recipient that is
// away: what they say to each other on /tom/backup, and the rules by which
// they decide, without touching a clock, a disk or a network.
//
// # Frames
//
// The opener of a stream asks, the other side answers with the same number n:
//
//	1 store    [1, n, envelope b, holders []k≤8, admission b?]
//	2 fetch    [2, n, after digest b32?]
//	3 audit    [3, n, digest b32, nonce b32]
//	4 drop     [4, n, receipt b]
//	5 offer    [5, n, [][digest b32, end t]≤1024]
//	6 holders  [6, n, digest b32, holders []k≤8]
//	answer     [n, code, argument]
//
// The envelope of a store is as its author signed it, with no relays and no
// hops, and so are the bytes that an audit is about: all copies are the same.
//
// # Promises
//
// A holder signs for what is safely on its disk: [holder, digest, end, sig],
// tom-storage-v1. A recipient may admit a sender to the larger part of the room
// that holders have for it: [recipient, sender, until, sig], tom-admission-v1.
//
// # Rules
//
// A Keeper decides for one node what it keeps, for whom, and with whom. It holds
// copies for others and looks after this node's own messages; for both it sees
// to it that enough holders live, by the same rules:
//
//   - Holders of a recipient's mail are chosen by rendezvous hashing (Choose), so
//     that nodes with the same view choose the same ones.
//   - Who was seen up for long weighs more; no two in one network and one newcomer
//     at most, where others exist; and who could not show several envelopes that
//     it had signed for is asked last.
//   - Who shares copies watches each other by audits of a random one of them; the
//     cost is per pair of holders, not per message.
//   - Of the living holders the first by rank copies; the next waits a turn for
//     each one before it, so that a copier who fails is followed by another.
//   - Where more hold an envelope than need to, the first by rank tells all who they
//     are, and who has seen enough of those before it show the envelope lets go.
//   - A receipt signed by the recipient, or the end of the lifetime, ends a copy;
//     the receipt stays behind as a tombstone and answers every later word on it.
//
// A holder learns sender, recipient, size and time, and nothing of the content.
package backup

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
