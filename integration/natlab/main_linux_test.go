package natlab

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(proc.CleanUp(), dismissUndertaker()); err != nil {
		fmt.Println(err)
		code = 1
	}
	for _, text := range reports.texts {
		fmt.Print("\n", text)
	}
	os.Exit(code)
}

// reports are what is printed when all tests are over, whether they pass or not.
var reports struct {
	mu    sync.Mutex
	texts []string
}

func report(text string) {
	reports.mu.Lock()
	defer reports.mu.Unlock()
	reports.texts = append(reports.texts, text)
}
