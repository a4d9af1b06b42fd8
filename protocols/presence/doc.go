// Package presence is how a node says, signed, where it is and which roles it
// offers. Nodes that offer a role say it on the presence topic; others say it to
// their friends, over connections.
//
//	0 node     bin 32          whose presence it is; signs
//	1 made     uint            ms since the epoch; of two the newer counts
//	2 until    uint            ms since the epoch; then it is over, at most 24 h after made
//	3 roles    array           [role uint, until uint], at most 8, roles ascending
//	4 addrs    []bin           binary multiaddrs of 1 to 128 bytes, at most 16
//	5 load     uint            0 idle to 255 full
//	6 holders  []bin 32        who keeps envelopes for the node, at most 8
//	7 sig      bin 64          tom-presence-v1
//
// A presence without roles revokes those of an older one. Made up to five
// minutes in the future is taken, as an envelope is.
package presence

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
