package main

import (
	"bufio"
	"cmp"
	"debug/buildinfo"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// shown is how many modules are listed.
const shown = 15

const (
	standard = "Go runtime and standard library"
	tables   = "line tables, types, strings and the rest"
)

// printCosts builds a binary with symbols and prints what the code and data of
// each module add up to in it.
func printCosts(t target) error {
	tmp, err := os.MkdirTemp("", "tom-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	path := filepath.Join(tmp, "tomd")
	if err := build(t, path, ""); err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	modules := []string{info.Main.Path}
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	cmd := exec.Command("go", "tool", "nm", "-size", "-sort", "none", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	sizes := addUp(out, modules)
	if err := cmd.Wait(); err != nil {
		return err
	}
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int { return cmp.Compare(sizes[b], sizes[a]) })
	fmt.Printf("\nof which in %s, code and data, MB:\n", t.path())
	for _, name := range names[:min(shown, len(names))] {
		fmt.Printf("%8.2f  %s\n", megabytes(sizes[name]), name)
	}
	return nil
}

// addUp reads what go tool nm -size prints and returns the bytes each module
// has. Symbols without content in the file (bss) do not count.
func addUp(nm io.Reader, modules []string) map[string]int64 {
	sizes := make(map[string]int64)
	for lines := bufio.NewScanner(nm); lines.Scan(); {
		f := strings.Fields(lines.Text()) // address size kind name…
		if len(f) < 4 || strings.ContainsAny(f[2], "UBb") {
			continue
		}
		if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
			sizes[owner(f[3], modules)] += n
		}
	}
	return sizes
}

// owner returns the module a symbol belongs to.
func owner(symbol string, modules []string) string {
	symbol = strings.ReplaceAll(symbol, "%2e", ".")
	for _, prefix := range []string{"type:", ".eq.", ".hash.", "go:itab.", "*"} {
		symbol = strings.TrimPrefix(symbol, prefix)
	}
	best := ""
	for _, m := range modules {
		rest, ok := strings.CutPrefix(symbol, m)
		if ok && len(m) > len(best) && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/")) {
			best = m
		}
	}
	first, _, slash := strings.Cut(symbol, "/")
	pkg, _, dot := strings.Cut(first, ".")
	switch {
	case best != "":
		return best
	case strings.HasPrefix(symbol, "main."):
		return modules[0]
	case strings.HasPrefix(symbol, "runtime.pclntab"), strings.HasPrefix(symbol, "go:"), strings.HasPrefix(symbol, "runtime.types"):
		return tables
	case (slash && !dot) || (!slash && dot && pkg != ""), strings.HasPrefix(symbol, "vendor/"):
		return standard
	}
	return tables
}
