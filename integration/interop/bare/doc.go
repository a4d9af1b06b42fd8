// Package bare speaks the protocol as the specification describes it, with
// go-libp2p and none of our packages. It does what the tests need and no more:
// it keeps what it gets in memory, seals with a fresh key each time and never
// tries again.
package bare
