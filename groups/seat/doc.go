// Package seat is one node's place in one group: it puts the machines of
// failover, hub and member together over one ledger. Frames and time go in;
// frames to send, what to save and what happened come out. It knows no stream, no
// disk and no clock.
package seat
