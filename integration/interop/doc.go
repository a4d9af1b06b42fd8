// Package interop shows that the written specification is enough: two
// implementations that share no code with ours, one in Go on a bare libp2p host
// (bare) and one in TypeScript, are held to the golden files, and the first of
// them exchanges messages with a running node.
//
// It also holds our nodes against go-libp2p as anybody uses it, each side in
// each role: relay and relayed, puncher of holes, asking and answering AutoNAT
// v2, server and client of the DHT.
package interop
