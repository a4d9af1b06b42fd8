// Command dist builds what is handed out: static, stripped binaries of tomd for
// each system and a systemd user unit, in dist/. It prints their sizes and what
// the largest modules cost, and fails if a Linux binary is too large.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	dir = "dist"
	// limit is the size a binary for Linux must stay under, in bytes.
	limit = 48_000_000
)

//go:embed tomd.service
var unit []byte

type target struct{ os, arch string }

var targets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

func (t target) path() string {
	name := "tomd-" + t.os + "-" + t.arch
	if t.os == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "tomd.service"), unit, 0o644); err != nil {
		return err
	}
	var tooLarge error
	for _, t := range targets {
		if err := build(t, t.path(), "-s -w"); err != nil {
			return fmt.Errorf("build for %s/%s: %w", t.os, t.arch, err)
		}
		info, err := os.Stat(t.path())
		if err != nil {
			return err
		}
		fmt.Printf("%6.1f MB  %s\n", megabytes(info.Size()), t.path())
		if t.os == "linux" && info.Size() >= limit {
			tooLarge = fmt.Errorf("%s has %.1f MB, %.1f are allowed", t.path(), megabytes(info.Size()), megabytes(limit))
		}
	}
	if err := printCosts(targets[0]); err != nil {
		return err
	}
	return tooLarge
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// build makes a static tomd at path.
func build(t target, path, ldflags string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", ldflags, "-o", path, "./cmd/tomd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
