// Package weather runs daemons that spoil their own streams, as tomd start
// --chaos has it, and holds ToM to its promises in it: what is accepted is
// delivered, once, however many frames are lost and streams killed.
package weather
