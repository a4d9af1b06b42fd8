// Command bench measures what a message costs through the node package, beside
// what else one might use, and what an idle daemon takes. Figures move from
// machine to machine: the ratios of one run are what counts.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// options are what the command line says.
type options struct {
	only string
	json bool
	runs int
	n    int
	dir  string

	profiles string
	members  string
}

func main() {
	if side := os.Getenv(sideVariable); side != "" {
		exitOn(serveSide(side))
		return
	}
	var o options
	flag.StringVar(&o.only, "only", "", "run only these, comma-separated: "+strings.Join(partNames(), ", "))
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.IntVar(&o.runs, "runs", 3, "runs of each, of which the median is printed")
	flag.IntVar(&o.n, "n", 50_000, "messages in a run")
	flag.StringVar(&o.dir, "dir", "", "where the data directories go; they are removed afterwards (default: the system's place for temporary files, or this directory if that is in memory)")
	flag.StringVar(&o.profiles, "profiles", "", "keep the CPU profiles of the split and of groups in this directory, for go tool pprof")
	flag.StringVar(&o.members, "members", "10,50,200", "of the groups, comma-separated; 1000 takes some minutes")
	flag.Parse()
	exitOn(run(o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A part fills in some of the report.
type part struct {
	name string
	run  func(*bench) error
}

var parts = []part{
	{"plain", func(b *bench) error { return b.race("plain") }},
	{"tom", func(b *bench) error { return b.race("tom") }},
	{"jetstream", func(b *bench) error { return b.race("jetstream") }},
	{"jetstream-sync", func(b *bench) error { return b.race("jetstream-sync") }},
	{"loss", (*bench).lossy},
	{"split", (*bench).split},
	{"away", (*bench).holders},
	{"groups", (*bench).groups},
	{"small", (*bench).small},
	{"memory", (*bench).memory},
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// bench is one run of this program.
type bench struct {
	options
	dir    string // a scratch directory of its own, in place of the option
	report report
}

func run(o options) error {
	wanted, err := chosen(o.only)
	if err != nil {
		return err
	}
	dir, err := scratch(o.dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, report: newReport(o)}
	if b.report.SyncMicros, err = syncCost(dir); err != nil {
		return err
	}
	if b.report.TripMicros, err = tripCost(); err != nil {
		return err
	}
	for _, p := range wanted {
		fmt.Fprintln(os.Stderr, "measuring", p.name)
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if o.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(b.report)
	}
	return b.report.print(os.Stdout)
}

// chosen picks the parts that -only names, or all.
func chosen(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if !slices.Contains(partNames(), name) {
			return nil, errors.New("nothing is called " + name + "; there are " + strings.Join(partNames(), ", "))
		}
	}
	var wanted []part
	for _, p := range parts {
		if slices.Contains(names, p.name) {
			wanted = append(wanted, p)
		}
	}
	return wanted, nil
}
