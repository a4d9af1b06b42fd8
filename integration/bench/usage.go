package main

import (
	"os"
	"regexp"
	"strconv"
	"time"
)

// usage is what a process has used since its start.
type usage struct {
	CPU     time.Duration
	Written int64 // bytes on their way to the disk; 0 where the system does not tell
}

func readUsage() (usage, error) {
	cpu, err := cpuTime()
	return usage{CPU: cpu, Written: written()}, err
}

func (u usage) plus(v usage) usage  { return usage{u.CPU + v.CPU, u.Written + v.Written} }
func (u usage) minus(v usage) usage { return usage{u.CPU - v.CPU, u.Written - v.Written} }

var writeBytes = regexp.MustCompile(`(?m)^write_bytes: (\d+)$`)

// written is what Linux counts of this process: whole pages that it has dirtied.
func written() int64 {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	m := writeBytes.FindSubmatch(b)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(m[1]), 10, 64) // the pattern has seen to it
	return n
}
