// Package role decides which roles a node takes up. Circumstance decides, not
// configuration: a node that the world can reach relays, and one that is
// overloaded pauses. Configuration can forbid it (off), or vouch for the
// circumstance (on); it makes no other node believe it.
//
// What is announced is slow to change, since others build on it: a circumstance
// must have lasted before it counts, longer to end a role than to begin it.
//
//	          public and load < 1/2, for 10 s
//	┌────────┐ ────────────────────────────► ┌────────┐
//	│ client │                               │ relay  │
//	└────────┘ ◄──────────────────────────── └────────┘
//	   not public for 1 min, or load > 9/10 for 30 s
package role
