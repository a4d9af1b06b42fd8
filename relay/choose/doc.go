// Package choose ranks relays and lays routes through them. It is pure: who is
// known, and what was measured, comes in; an order comes out, with the reasons
// for it.
//
// A relay that failed is dropped at once, and comes back after a pause that
// doubles with each failure in a row. Of the others contacts come first, then
// the better score:
//
//	score = success rate · speed · ease · comeback
//
// with speed = 1 / (1 + latency / 200 ms), ease falling to a quarter at full
// load, and comeback growing from a half to 1 after a pause. Of two relays in one
// network, a /24 or a /48, the second waits until every network had its turn:
// what fails together must not be asked together.
package choose
