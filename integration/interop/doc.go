// Package interop shows that the written specification is enough: two
// implementations that share no code with ours, one in Go on a bare libp2p host
// (bare) and one in TypeScript, are held to the golden files, and the first of
// them exchanges messages with a running node.
package interop
