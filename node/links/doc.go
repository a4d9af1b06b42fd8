// Package links knows who is connected and keeps the lines to them: for each
// neighbour one outgoing stream for envelopes and one for receipts, opened when
// there is something to send and closed when nobody uses them, the streams that
// neighbours open here, and the exchange of hellos.
//
//	       ┌ connection ─ hello, both ways
//	peer ──┤              ┌ envelopes →, hop answers ←   (ours)
//	       └ connection ──┤ envelopes ←, hop answers →   (theirs)
//	                      └ receipts, one stream each way
//
// A neighbour that crashed leaves its connection behind for 15 to 45 seconds,
// in which everything sent there is lost. So streams go over the newest direct
// connection, a new connection has the older ones tested, and Probe tests them
// on demand.
//
// What a neighbour does wrong costs it a stream and some of its allowance, and
// nobody else anything.
package links
