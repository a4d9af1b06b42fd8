// Package weather makes a node's own streams behave as they do on a bad day: it
// drops frames, holds them back, and kills streams. It is for people who build
// on ToM and want to see their program when that happens, before it does.
//
//	line ── Write ─► drop frames ─► hold back ─┐
//	                                           ├─ stream
//	line ◄─ Read ── hold back ◄─ drop frames ──┘
//
// It sits between a stream and the [stream.Line] on it, so that what loses a
// frame here is what would in earnest: nobody above learns of it. A reliable
// stream loses nothing in its middle, and bad weather of the real kind comes as
// delay and as streams that end; single lost frames are harsher than that, and
// every protocol of ours stands them, because a peer may vanish or lie at any
// instruction.
//
// A node without weather has no part of this in the way of its bytes.
package weather
