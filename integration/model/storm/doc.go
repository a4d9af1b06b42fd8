// Package storm is a model world for backups: the real Keepers of many nodes
// over an event heap, in one goroutine, under a virtual clock, on a seeded
// network with delay, loss, partitions, departures and deaths. The same seed
// gives the same run to the byte. What nodes do around their Keeper, the world
// does for them in the same order: store before signing, receive before
// receipting.
package storm
