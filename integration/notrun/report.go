package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tom-protocol/tom/integration/needs"
)

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

type testID struct{ pkg, test string }

// report turns events back into what go test prints, and remembers what was not
// run.
type report struct {
	w      io.Writer
	output map[testID]*strings.Builder // of tests that have not ended
	notRun map[string][]string         // what was missing: the tests
	seed   map[string]string           // what a package says about its shuffle
}

func newReport(w io.Writer) *report {
	return &report{
		w: w, output: make(map[testID]*strings.Builder),
		notRun: make(map[string][]string), seed: make(map[string]string),
	}
}

func (r *report) line(b []byte) {
	var e event
	if err := json.Unmarshal(b, &e); err != nil {
		r.w.Write(b) // not an event: something printed past go test
		return
	}
	id := testID{e.Package, e.Test}
	switch {
	case e.Action == "build-output":
		io.WriteString(r.w, e.Output)
	case e.Action == "output" && e.Test == "":
		r.closing(e)
	case e.Action == "output":
		if r.output[id] == nil {
			r.output[id] = new(strings.Builder)
		}
		r.output[id].WriteString(e.Output)
	case e.Action == "fail" && r.output[id] != nil:
		io.WriteString(r.w, r.output[id].String())
		delete(r.output, id)
	case e.Action == "skip" && r.output[id] != nil:
		r.skipped(id, r.output[id].String())
		delete(r.output, id)
	case e.Action == "pass":
		delete(r.output, id)
	}
}

// closing passes on what a package prints besides its tests. The seed of its
// shuffle matters only when it fails.
func (r *report) closing(e event) {
	switch {
	case e.Output == "PASS\n", strings.Contains(e.Output, "[no test files]"):
	case strings.HasPrefix(e.Output, "-test.shuffle "):
		r.seed[e.Package] = e.Output
	case strings.HasPrefix(e.Output, "FAIL\t"):
		io.WriteString(r.w, r.seed[e.Package]+e.Output)
	default:
		io.WriteString(r.w, e.Output)
	}
}

func (r *report) skipped(id testID, output string) {
	_, what, ok := strings.Cut(output, needs.NotRun)
	if !ok {
		return // skipped for good reason, as on a system that has no such thing
	}
	what, _, _ = strings.Cut(what, "\n")
	r.notRun[what] = append(r.notRun[what], id.pkg[strings.LastIndex(id.pkg, "/")+1:]+"."+id.test)
}

// close prints tests that never ended, as after a panic, and what was not run.
func (r *report) close() {
	for id, out := range r.output {
		fmt.Fprintf(r.w, "--- %s %s did not end\n%s", id.pkg, id.test, out)
	}
	if len(r.notRun) > 0 {
		fmt.Fprintln(r.w, "\nnot run, for want of")
	}
	for _, what := range slices.Sorted(maps.Keys(r.notRun)) {
		fmt.Fprintf(r.w, "  %s: %s\n", what, strings.Join(r.notRun[what], ", "))
	}
}
