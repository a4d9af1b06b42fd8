package main

import (
	"debug/elf"
	"testing"
)

func TestSymbolsCountForTheirModules(t *testing.T) {
	t.Parallel()
	modules := []string{"example.org/tom", "example.org/lib", "example.org/lib/v2", "gopkg.in/yaml.v3"}
	for symbol, want := range map[string]string{
		"main.main":                            "example.org/tom",
		"example.org/tom/node.New":             "example.org/tom",
		"example.org/lib.F":                    "example.org/lib",
		"example.org/lib/v2/x.(*T).M":          "example.org/lib/v2",
		"example.org/library.F":                tables,
		"gopkg.in/yaml%2ev3.F":                 "gopkg.in/yaml.v3",
		"type:.eq.example.org/lib.T":           "example.org/lib",
		"go:itab.*example.org/lib.T,io.Reader": "example.org/lib",
		"runtime.mallocgc":                     standard,
		"net/http.(*Server).Serve":             standard,
		"vendor/golang.org/x/net/idna.F":       standard,
		"runtime.pclntab":                      tables,
		"go:string.*":                          tables,
	} {
		if got := owner(symbol, modules); got != want {
			t.Errorf("%s counts for %s, want %s", symbol, got, want)
		}
	}
	sections := []*elf.Section{{}, {}, {SectionHeader: elf.SectionHeader{Type: elf.SHT_NOBITS}}}
	symbols := []elf.Symbol{
		{Name: "main.main", Section: 1, Size: 100},
		{Name: "example.org/lib.F", Section: 1, Size: 50},
		{Name: "example.org/lib.x[go.shape.int]", Section: 1, Size: 7},
		{Name: "main.zeros", Section: 2, Size: 900},
		{Name: "elsewhere", Section: elf.SHN_ABS, Size: 5},
	}
	sizes := addUp(symbols, sections, modules)
	if sizes["example.org/tom"] != 100 || sizes["example.org/lib"] != 57 || len(sizes) != 2 {
		t.Errorf("got %v", sizes)
	}
}
