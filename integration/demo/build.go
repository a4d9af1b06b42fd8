package main

import (
	"fmt"
	"os"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// build builds tomd and shows how far it is.
func build() error {
	begin := time.Now()
	fmt.Println("Building tomd. The first build on a machine takes minutes, later ones seconds.")
	total, err := proc.Packages()
	if err != nil {
		return err
	}
	p := progress{total: total, live: isTerminal(os.Stdout)}
	_, err = proc.Build(p.compiled)
	p.end()
	if err != nil {
		return err
	}
	fmt.Printf("  built in %.1f s\n", time.Since(begin).Seconds())
	return nil
}

// progress counts compiled packages: on a terminal in one line, else in one for
// every hundred.
type progress struct {
	done, total int
	live        bool
}

func (p *progress) compiled(string) {
	p.done++
	switch {
	case p.live:
		fmt.Printf("\r  %d packages of at most %d", p.done, p.total)
	case p.done%100 == 0:
		fmt.Printf("  %d packages of at most %d\n", p.done, p.total)
	}
}

func (p *progress) end() {
	if p.live && p.done > 0 {
		fmt.Print("\r\033[K")
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
