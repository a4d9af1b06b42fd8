package weather

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// station is a daemon whose metrics can be read.
type station struct {
	*proc.Daemon
	metrics string
}

func start(m *proctest.Machine, name string, args ...string) station {
	m.T.Helper()
	s := station{metrics: proctest.FreeAddr(m.T)}
	s.Daemon = m.Start(name, append(args, "--metrics", s.metrics)...)
	return s
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
