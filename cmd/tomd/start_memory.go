package main

import (
	"os"
	"runtime/debug"
)

// A daemon's live heap is small, so that Go's default would collect it many
// times a second under load, for a fifth of the daemon's time. It may grow to
// five times what is live instead, as long as that is not much in absolute terms.
const (
	gcPercent   = 400
	memoryLimit = 512 << 20 // bytes; above it memory counts more than time
)

// tuneMemory sets this process's garbage collector, unless the environment does.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
