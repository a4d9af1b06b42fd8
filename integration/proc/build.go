package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

const target = "github.com/tom-protocol/tom/cmd/tomd"

var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Build builds tomd, at the first call in this process, and returns where it is.
// Compiled, if not nil, is called with each package that had to be compiled: on
// a machine that never built any, many hundreds. [CleanUp] removes the binary.
func Build(compiled func(pkg string)) (path string, err error) {
	built.once.Do(func() { built.path, built.err = build(compiled) })
	return built.path, built.err
}

// CleanUp removes what Build has made.
func CleanUp() error {
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}

func build(compiled func(pkg string)) (path string, err error) {
	if built.dir, err = os.MkdirTemp("", "tomd-"); err != nil {
		return "", fmt.Errorf("make directory for the binary: %w", err)
	}
	path = filepath.Join(built.dir, "tomd")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", "build", "-v", "-trimpath", "-o", path, target)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", fmt.Errorf("start the build: %w", err)
	}
	complaints := readPackages(says, compiled)
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("build tomd: %w\n%s", err, complaints)
	}
	return path, nil
}

// readPackages reads what go build -v says: packages, one a line, and whatever
// is wrong, which it returns.
func readPackages(r io.Reader, compiled func(pkg string)) (complaints string) {
	var rest strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		if strings.ContainsAny(line, " :\t#") {
			rest.WriteString(line + "\n")
		} else if compiled != nil {
			compiled(line)
		}
	}
	return rest.String()
}

// Packages counts what a build from nothing compiles.
func Packages() (int, error) {
	out, err := exec.Command("go", "list", "-deps", target).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return 0, fmt.Errorf("list packages: %w\n%s", err, exit.Stderr)
	}
	return strings.Count(string(out), "\n"), err
}
