package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shown is how many modules are listed.
const shown = 15

const (
	standard = "Go runtime and standard library"
	tables   = "line tables, types, strings and the rest"
)

// printCosts prints what the code and data of each module add up to in the
// stripped binary of a target that makes ELF files. A twin that keeps its
// symbols is built to be counted.
func printCosts(t target) error {
	tmp, err := os.MkdirTemp("", "tom-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	twin := filepath.Join(tmp, "tomd")
	if err := build(t, twin, "-w"); err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(twin)
	if err != nil {
		return err
	}
	modules := []string{info.Main.Path}
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	f, err := elf.Open(twin)
	if err != nil {
		return err
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		return err
	}
	stripped, err := os.Stat(t.path())
	if err != nil {
		return err
	}
	sizes := addUp(symbols, f.Sections, modules)
	sizes[tables] = stripped.Size()
	for name, n := range sizes {
		if name != tables {
			sizes[tables] -= n
		}
	}
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int { return cmp.Compare(sizes[b], sizes[a]) })
	fmt.Printf("\nof which in %s, MB:\n", t.path())
	for _, name := range names[:min(shown, len(names))] {
		fmt.Printf("%8.2f  %s\n", megabytes(sizes[name]), name)
	}
	return nil
}

// addUp returns the bytes each module has in the file, by its symbols. Memory
// that is only reserved (bss) is not in it.
func addUp(symbols []elf.Symbol, sections []*elf.Section, modules []string) map[string]int64 {
	sizes := make(map[string]int64)
	for _, s := range symbols {
		i := int(s.Section)
		if i <= 0 || i >= len(sections) || sections[i].Type == elf.SHT_NOBITS {
			continue
		}
		sizes[owner(s.Name, modules)] += int64(s.Size)
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
