package natlab

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTAP makes an Ethernet device in the namespace. What the namespace sends
// over it can be read from the file, and the other way round.
func openTAP(namespace, device string) (f *os.File, err error) {
	err = within(namespace, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(device)
		if err == nil {
			req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
		}
		if err != nil {
			_ = unix.Close(fd)
			return fmt.Errorf("make %s in %s: %w", device, namespace, err)
		}
		// Not before there is a device: nothing would ever wake the reader.
		f = os.NewFile(uintptr(fd), device+" of "+namespace)
		return nil
	})
	return f, err
}
