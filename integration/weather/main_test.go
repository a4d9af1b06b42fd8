package weather

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
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

// station is a daemon whose metrics can be read.
type station struct {
	*proc.Daemon
	metrics string
}

func start(t *testing.T, m *proc.Machine, name string, args ...string) station {
	t.Helper()
	s := station{metrics: freeAddr(t)}
	var err error
	if s.Daemon, err = m.Start(t.Context(), name, append(args, "--metrics", s.metrics)...); err != nil {
		t.Fatal(err)
	}
	return s
}

// freeAddr is an address on loopback that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// metric is what the daemon counts under that name, with its labels.
func (s station) metric(t *testing.T, name string) (value float64) {
	t.Helper()
	resp, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			if _, err := fmt.Sscan(text, &value); err != nil {
				t.Fatal(err)
			}
		}
	}
	return value
}
