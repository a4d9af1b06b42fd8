// Package prekeys is how a node says which keys to seal to: one X25519 key for
// each of the coming days, in one signed record. The private half of a day's
// key is destroyed 24 h 30 min after the day's end; what was sealed to it can
// then be opened by nobody.
//
//	0 suite  uint     1
//	1 node   bin 32   whose keys they are; signs
//	2 made   uint     ms since the epoch; of two records the newer counts
//	3 keys   array    [day uint, public bin 32], 1 to 9, days ascending
//	4 sig    bin 64   tom-prekeys-v1
//
// A record made up to five minutes in the future is taken, as an envelope is:
// otherwise a node whose clock is a little fast would have no prekeys.
//
// A day is ⌊ms since the epoch / 86 400 000⌋.
package prekeys

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
