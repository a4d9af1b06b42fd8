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
// absolute terms. When it is idle again the memory goes back, as it does after
// anything else that allocated much and is over: the handshakes of a crowd that
// stays connected, and silent.
const (
	busyRate    = 16 << 20    // bytes allocated in a second
	quietRate   = 1 << 20     // same, and less than that is nothing going on
	worthwhile  = 32 << 20    // bytes allocated since memory last went back
	returnEvery = time.Minute // that it goes back all the same: stacks shrink a little each time
)

// thrift is how much time the garbage collector may take to save memory.
type thrift struct {
	busy, idle int   // GOGC
	limit      int64 // bytes; above it memory counts more than time
}

var (
	usual  = thrift{busy: 400, idle: 100, limit: 512 << 20}
	frugal = thrift{busy: 50, idle: 50, limit: 64 << 20} // with --low-memory
)

// tend sets this process's garbage collector to what is going on, until ctx
// ends; not if the environment sets it.
func (t thrift) tend(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(t.limit)
	debug.SetGCPercent(t.idle)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	busy, before := false, allocated()
	returned, since := before, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		was, rate := busy, now-before
		busy, before = rate > busyRate, now
		switch {
		case busy && !was:
			debug.SetGCPercent(t.busy)
		case was && !busy:
			debug.SetGCPercent(t.idle)
		case rate < quietRate && (now-returned > worthwhile || time.Since(since) > returnEvery):
			debug.FreeOSMemory()
			returned, since = now, time.Now()
		}
	}
}

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
