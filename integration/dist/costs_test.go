package main

import (
	"strings"
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
	const nm = "  401000  100 T main.main\n  402000  50 t example.org/lib.F\n  500000  900 B main.zeros\n  U printf\n 403000 7 R example.org/lib.x[go.shape.int 3]\n"
	sizes := addUp(strings.NewReader(nm), modules)
	if sizes["example.org/tom"] != 100 || sizes["example.org/lib"] != 57 || len(sizes) != 2 {
		t.Errorf("got %v", sizes)
	}
}
