// Package heartbeat is how neighbours introduce themselves and show that they
// live. The dialler sends a hello as soon as a connection stands, the listener
// answers with its own.
//
//	0 type          uint          1
//	1 version       uint          1
//	2 agent         str ≤ 64      software and version
//	3 name          str ≤ 64      what the user calls the node: a claim
//	4 roles         []uint ≤ 8    1 relay, 2 backup, 3 hub
//	5 capabilities  []str ≤ 32    each ≤ 64
//	6 prekeys       bin           signed record, empty while there is none
//	7 admission     bin or nil    signed admission
//	8 time          uint          ms since the epoch
//
// Later either side tells where it is, or where a friend of both is:
//
//	0 type          uint          3
//	1 presence      bin           signed presence
//	2 prekeys       bin or nil    signed record of the same node
//
// A beat asks for a sign of life, on a stream of the connection in question:
//
//	0 type     uint  2
//	1 counter  uint  random, so that it cannot be answered before it came
//	2 load     uint  0–255
//	3 time     uint  ms since the epoch
//
// and its answer is one:
//
//	0 type     uint  4
//	1 counter  uint  of the beat
//	2 time     uint  ms since the epoch
package heartbeat

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire_presence.go -o wire_presence_gen.go
