// Package protocols holds what every part of ToM agrees on: who is who (Key),
// which network a signature belongs to (Network), what is spoken over which
// protocol id, and how anything is signed. Its subpackages hold one structure
// or one protocol each; README.md beside this file is the specification, to
// the byte.
//
// Nothing here touches a clock, a socket or a disk.
package protocols
