// Package worlds runs whole nodes where time and the network are the test's:
// real go-libp2p over simulated UDP in virtual time, and real processes that
// are killed.
package worlds
