package host

import (
	"net"
	"testing"
)

// What quic-go cannot measure it does not warn about: see quietConn.
func TestRawSocketShowsOnlyOnceSized(t *testing.T) {
	t.Parallel()
	pc, err := listenQuietly("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.Close() }()
	c := pc.(*quietConn)
	if _, err := c.SyscallConn(); err == nil {
		t.Error("shown before the read buffer was sized")
	}
	if err := c.SetReadBuffer(1 << 30); err != nil {
		t.Errorf("a size that cannot be had: %v", err)
	}
	if _, err := c.SyscallConn(); err == nil {
		t.Error("shown before the write buffer was sized")
	}
	if err := c.SetWriteBuffer(1 << 30); err != nil {
		t.Errorf("a size that cannot be had: %v", err)
	}
	if _, err := c.SyscallConn(); err != nil {
		t.Errorf("not shown once sized: %v", err)
	}
}
