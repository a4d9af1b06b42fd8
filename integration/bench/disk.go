package main

import (
	"os"
	"path/filepath"
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
