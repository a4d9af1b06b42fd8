// Package groupstest lets services of groups talk to each other in one process,
// over queues in memory, for tests and measurements. A queue has the bounds that
// a stream of a node has; who does not read fills the one to it, and no other.
//
// Disk, Shredder and Ratchets are twins of what a node gives its groups; a node's
// own are held to the same suite (see DiskSuite).
package groupstest
