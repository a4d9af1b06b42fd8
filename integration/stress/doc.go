// Package stress runs tomd stress as a user does, and holds it to what it says:
// that it passes where all is well, that its figures are those of the daemons,
// and that it fails, with an exit status, where messages are lost.
package stress
