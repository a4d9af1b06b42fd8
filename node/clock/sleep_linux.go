package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemSlept returns for how long the machine has been suspended since it was
// booted.
func systemSlept() time.Duration {
	var boot, up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &up) != nil {
		return 0
	}
	return time.Duration(boot.Nano() - up.Nano())
}
