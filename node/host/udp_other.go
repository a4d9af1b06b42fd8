//go:build !linux

package host

// force does what only Linux can.
func (*quietConn) force(buffer, int) {}
