package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// scratch makes a directory for all that is written: where the user says, else
// where the system has its temporary files, unless that is memory: there a sync
// costs nothing, and the figures would lie.
func scratch(dir string) (string, error) {
	if dir == "" {
		dir = os.TempDir()
		if inMemory(dir) {
			dir = "."
		}
	}
	made, err := os.MkdirTemp(dir, "tom-bench-")
	if err != nil {
		return "", err
	}
	return filepath.Abs(made)
}

// syncCost is the median time of a small write and its sync, in µs.
func syncCost(dir string) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	took := make([]time.Duration, 51)
	for i := range took {
		begin := time.Now()
		if _, err := f.Write(make([]byte, 512)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return micros(took[len(took)/2]), nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
