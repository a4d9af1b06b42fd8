// Package away tries, with real daemons on loopback, what happens to messages
// for a device that is off: others keep them, and bring them when it comes back.
package away
