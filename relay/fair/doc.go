// Package fair says whose turn it is at a relay that has more to do than it
// can, and how much anybody may ask of it at all.
//
// A [Queue] hands out a bounded number of places in flight. While there is room
// nobody waits. When there is none, envelopes wait, each in the line of the
// peer that brought it, and lines are served by start-time fair queueing (Goyal,
// Vin, Cheng: "Start-time Fair Queuing", SIGCOMM 1996): a line with twice the
// weight gets twice the bytes, and one that was idle has saved nothing up.
// Strangers share one class that has a tenth of a contended queue, in places to
// wait as in turns, however many they are. A full queue puts out the newest of
// the line that is the furthest over its share, and the one put out is told.
//
// A [Meter] holds each key to a rate by the generic cell rate algorithm (ITU-T
// I.371): two times a key, in a bounded map.
package fair
