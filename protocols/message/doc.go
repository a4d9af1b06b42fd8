// Package message is what an envelope holds when it is open: a MessagePack
// array, then zeros.
//
//	0 type     str ≤ 128   content type; those of ToM begin with "tom/"
//	1 number   uint        counts the author's messages to the recipient from 1
//	2 body     bin
//	zeros                  up to PaddedLen
//
// The padding hides the length but for its magnitude. Nothing in here is seen
// by relays.
package message

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
