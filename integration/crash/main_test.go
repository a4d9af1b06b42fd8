package crash

import (
	"fmt"
	"os"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
)

var binary string // tomd, built once

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	defer proc.CleanUp()
	var err error
	if binary, err = proc.Build(nil); err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// newMachine is an empty machine that ends with the test.
func newMachine(t *testing.T) *proc.Machine {
	t.Helper()
	m, err := proc.NewMachine(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// start runs a daemon on a machine.
func start(t *testing.T, m *proc.Machine, name string, args ...string) *proc.Daemon {
	t.Helper()
	d, err := m.Start(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
