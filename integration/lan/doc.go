// Package lan lets daemons meet as on the LAN of an office: each in a network
// namespace of its own, with a cable to a switch that leads nowhere else. It
// needs root. The local interface of a daemon is a file, so commands reach it
// from outside.
package lan
