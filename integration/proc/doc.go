// Package proc runs tomd as real processes: it builds the binary, starts, kills
// and restarts daemons, and runs commands against them. It is for programs and
// tests alike, so it returns errors and knows no testing.T.
//
// A [Machine] is a directory with the data of some daemons, and an environment
// in which they meet each other and nobody else. Closing it ends all of them.
package proc
