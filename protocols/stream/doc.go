// Package stream carries frames over a byte stream.
//
// A frame is
//
//	uvarint length (≤ 272 KiB) ‖ payload
//
// A Line is one stream with one writer goroutine. Senders never block: they
// queue, and the writer puts all that is queued into one write, because over
// QUIC packets cost, not bytes. Nothing waits for company: a frame that is
// alone leaves alone.
//
// The other side is hostile until proven otherwise. Its claimed lengths
// allocate nothing, its silence costs it its own stream and nobody else's, and
// a line nobody uses goes away by itself.
package stream
