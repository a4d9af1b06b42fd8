// Package ack is how a recipient says what became of envelopes: signed
// receipts, each for up to 64 of one author's, in frames of up to 64.
//
//	0 kind     uint     1 delivered, 2 read, 3 unopenable, 4 got
//	1 from     bin 32   the recipient; signs
//	2 to       bin 32   the envelopes' author
//	3 time     uint     ms since the epoch
//	4 entries  array    [id bin 16, first half of the digest bin 16], 1 to 64
//	5 sig      bin 64   tom-receipt-v1
//
// An entry is good for the envelope whose recipient, author, id and digest are
// the receipt's from, to and the entry's: whoever acts on it compares all four.
// A receipt can be shown to third parties; it shows them all its entries.
package ack

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
