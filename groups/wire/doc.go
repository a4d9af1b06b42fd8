// Package wire holds what members and hubs of a group say to each other: one
// structure or frame a file, with its bytes drawn above it. Everything is a
// MessagePack array with fixed positions, as protocols/README.md has it.
//
// A signed structure exists here only with its signature verified: Parse takes
// the verifier. Records are the exception, because their proofs are verified in
// bulk by a pool of workers: see Record.Verify. Frames carry structures as their
// exact bytes, which the reader of the frame parses.
//
// The design's tables are kept but for these, each with a reason:
//
//   - Head and Beat name their term by the hash of the hub record that opened it,
//     Beat in the place of the primary's key. A hub that withdrew may open the
//     same number twice, and two heads of two terms are no equivocation.
//   - A hub record of version 2 and up links to the record that opened its term,
//     so that every record alone says which term it belongs to.
//   - Records says of every run of entries which hub sequenced it, not of the
//     first only: a page of catching up may span terms.
//   - Roster also holds what later records are judged by: the last removal, the
//     last kick or demotion, who was kicked, when invites expire. A late-comer
//     that starts at a snapshot must judge as all others do.
//   - Attach and Report name the term, not the version of the chain within it:
//     whoever counts them need not know every version.
//   - Withdrawal, the frames 10 to 13 of the hub protocol and the drafts of frame
//     8 carry what the rules of failover demand and the tables had no place for:
//     a claim taken back, hubs that meet, one that yields, a shadow that asks to
//     be replaced, and a record that two have to sign. The primary that hands
//     over signs where an admin would.
//   - Invite names no hub record. Who joins learns from members whom they follow, and
//     a hub shows it the log that the invite spoke of, or nothing; a hash of a record
//     that others have replaced since would bind it to nothing more.
//   - Published entries may bring the place they had in a branch that lost.
package wire
