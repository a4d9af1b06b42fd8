// Package links knows who is connected and keeps the lines to them: for each
// neighbour one outgoing stream for envelopes and one for receipts, opened when
// there is something to send and closed when nobody uses them, the streams that
// neighbours open here, the exchange of hellos, and beats.
//
//	       ┌ connection ─ hello, both ways; beats →, answers ←, and the other way
//	peer ──┤              ┌ envelopes →, hop answers ←   (ours)
//	       └ connection ──┤ envelopes ←, hop answers →   (theirs)
//	                      └ receipts, one stream each way
//
// # Which connection
//
// Streams go over the newest direct connection, else over a circuit: one
// without a limit first, then the newest. When a better one comes, or the one
// in use ends, what is sent from then on goes over streams on the other one. The
// old streams are drained, not reset: what is written is answered, then they
// close, and nobody is told of a loss. Only what ends unanswered is lost.
//
// A circuit stays 20 s beside a direct connection, which may fail as quickly as
// it came, and is closed then: a spare way that is dialled again in 0.3 s is not
// worth the place it takes at somebody's relay. It also stays as long as the
// peer uses it.
//
// # Circuits that end
//
// A relay announces how many bytes and how much time it grants a circuit; stock
// ones 128 KiB each way and 2 minutes. Both ends count. At two thirds of the
// bytes, or three quarters of the time while a conversation goes on, the end
// that dialled makes another circuit beside it (see anew for how), and all
// moves there as to any better connection. A frame that finds no room waits for
// that, ErrLimit is for those that no circuit of this relay could carry, and
// while none can be had. One circuit a second is made at most, so a stock relay
// carries some 70 KB/s for us, and is left in peace when nobody has spoken for
// 5 minutes: then the circuit is let go.
//
// # Signs of life
//
// A neighbour that crashed leaves its connection behind for 15 to 45 seconds,
// in which everything sent there is lost. So a connection is asked for a sign of
// life, the sooner the more depends on it; what comes on any of our streams is
// one too. One goroutine and one timer see to all connections.
//
//	                                   asked each   dead after   payload an hour, both ways
//	an envelope is not answered,
//	or Watch says that somebody waits    500 ms        1.8 s     0.9 MB
//	a relay that Lean names                 5 s          3 s     100 KB
//	a friend                               90 s         10 s      30 KB
//	anybody else                          never            –      20 KB, QUIC's keepalive
//
// Who has waited for 10 minutes while nothing was said is patient: then a peer is
// asked as a relay is. The times in the third column begin with the first question after the last
// sign of life; they grow with the round trip and with what is under way, for a
// beat may stand behind it. Who has not answered a beat yet, be it because it
// knows none, is pinged as well. A node that finds its own timers late blames
// itself. A new connection has the one in use until then tested, and Probe tests
// on demand.
//
// What a neighbour does wrong costs it a stream and some of its allowance, and
// nobody else anything.
package links
