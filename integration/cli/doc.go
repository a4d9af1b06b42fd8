// Package cli tries the built binary as a user does: real daemons on loopback,
// real commands, real signals, and what they print and exit with.
package cli
