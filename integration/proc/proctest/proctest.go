// Package proctest is package proc for tests: what goes wrong fails the test, and
// what a test starts ends with it.
package proctest

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// Main runs the tests of a package that runs tomd, and removes the binary that
// was built for them: before they begin, for on a busy machine that takes longer
// than many of them are given. It returns the exit code, for the package's TestMain.
func Main(m *testing.M) int {
	code := 1
	if _, err := proc.Build(nil); err != nil {
		fmt.Println(err)
	} else {
		code = m.Run()
	}
	if err := proc.CleanUp(); err != nil {
		fmt.Println(err)
		code = 1
	}
	return code
}

// Machine is where the daemons of one test live.
type Machine struct {
	*proc.Machine
	T *testing.T
}

// New makes an empty machine.
func New(t *testing.T) *Machine {
	t.Helper()
	p, err := proc.NewMachine()
	m := &Machine{p, t}
	m.Check(err)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// Check ends the test if there is an error.
func (m *Machine) Check(err error) {
	m.T.Helper()
	if err != nil {
		m.T.Fatal(err)
	}
}

// Start runs a daemon, see [proc.Machine.Start].
func (m *Machine) Start(name string, args ...string) *proc.Daemon {
	m.T.Helper()
	d, err := m.Machine.Start(m.T.Context(), name, args...)
	m.Check(err)
	return d
}

// Until looks again and again until nothing is missing, see [proc.Until].
func (m *Machine) Until(patience time.Duration, look func() (missing string)) time.Duration {
	m.T.Helper()
	took, err := proc.Until(m.T.Context(), patience, look)
	m.Check(err)
	return took
}

// FreeAddr is a TCP address on loopback that nobody listened on a moment ago.
func FreeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
