package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A daemon's live heap is small, so that Go's default would collect it many
// times a second under load, for a fifth of the daemon's time. While it is busy
// it may grow to five times what is live instead, as long as that is not much in
// absolute terms. When it is idle again the memory goes back.
const (
	busyPercent = 400
	idlePercent = 100
	busyRate    = 16 << 20  // bytes allocated in a second
	memoryLimit = 512 << 20 // bytes; above it memory counts more than time
)

// tendMemory sets this process's garbage collector to what is going on, until
// ctx ends; not if the environment sets it.
func tendMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(memoryLimit)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	busy, before := false, allocated()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		was := busy
		busy = now-before > busyRate
		before = now
		switch {
		case busy && !was:
			debug.SetGCPercent(busyPercent)
		case was && !busy:
			debug.SetGCPercent(idlePercent)
			debug.FreeOSMemory()
		}
	}
}

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
