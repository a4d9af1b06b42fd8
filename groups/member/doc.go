// Package member is a member's side of a group's log: it publishes what its
// person writes until it stands in the log, follows the log of its hub, and after
// every change of hub brings back what the new log lacks.
//
// Nothing that was in a log is ever dropped here before its day is over: what the
// hub's log does not have is held, and offered to it. The author offers its own;
// who was hub or shadow offers all at once; every member, a little later, what is
// missing still.
//
// What a hub does to one member alone nobody else sees. So a member looks itself whether
// its hub takes what it writes, brings the log that it is known to have signed, and dates
// what it signs as it may; and where the hub brings nothing, asks others, who have it
// under the same signature. It refuses nothing for a wrong time: its own clock may be
// the wrong one.
package member
