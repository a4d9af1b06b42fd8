// Package internet is a simulated one, in virtual time: public addresses,
// routers that translate and filter as those of homes and carriers do, and
// hosts on both sides of them, with QUIC only. Every packet takes Hop.
package internet
