package host

import "golang.org/x/sys/unix"

// force sets a buffer beyond the system's limit, as a privileged process may.
func (c *quietConn) force(b buffer, bytes int) {
	raw, err := c.UDPConn.SyscallConn()
	if err != nil {
		return
	}
	option := unix.SO_RCVBUFFORCE
	if b == writeBuffer {
		option = unix.SO_SNDBUFFORCE
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, bytes)
	})
}
