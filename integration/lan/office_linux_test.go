package lan

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tom-protocol/tom/integration/needs"
)

// office is a LAN: a namespace that holds a switch, and one for each desk. Its
// addresses lead nowhere, for no namespace has another route.
type office struct {
	t     *testing.T
	name  string // what its namespaces' names begin with
	v6    bool   // addresses are IPv6
	desks int
}

// prefix marks namespaces of this package; the number of a process follows.
const prefix = "tomd-lan-"

var (
	offices atomic.Uint32
	sweep   sync.Once
)

func newOffice(t *testing.T, v6 bool) *office {
	t.Helper()
	needs.Root(t)
	needs.Tools(t, "ip")
	sweep.Do(removeStale)
	o := &office{t: t, name: fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), offices.Add(1)), v6: v6}
	o.addNamespace(o.name)
	o.ip("-n", o.name, "link", "add", "name", "switch", "type", "bridge", "mcast_snooping", "0")
	o.ip("-n", o.name, "link", "set", "switch", "up")
	return o
}

// desk connects one more namespace and returns its name and address.
func (o *office) desk() (namespace, addr string) {
	o.t.Helper()
	o.desks++
	namespace = fmt.Sprintf("%s-%d", o.name, o.desks)
	addr, mask := fmt.Sprintf("10.77.0.%d", o.desks), "/24"
	if o.v6 {
		addr, mask = fmt.Sprintf("fd77::%d", o.desks), "/64"
	}
	cable := fmt.Sprintf("cable%d", o.desks)
	o.addNamespace(namespace)
	o.ip("-n", o.name, "link", "add", "name", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
	o.ip("-n", o.name, "link", "set", cable, "master", "switch", "up")
	o.ip("-n", namespace, "link", "set", "lo", "up")
	o.ip("-n", namespace, "link", "set", "eth0", "up")
	if o.v6 {
		o.ip("-n", namespace, "address", "add", addr+mask, "dev", "eth0", "nodad")
	} else {
		o.ip("-n", namespace, "address", "add", addr+mask, "dev", "eth0")
	}
	for _, family := range []string{"-4", "-6"} {
		if routes := o.ip(family, "-n", namespace, "route", "show", "default"); routes != "" {
			o.t.Fatalf("there is a way out: %s", routes)
		}
	}
	return namespace, addr
}

// spokeTo says that the desk has looked for the address, or been asked by it:
// nothing but multicast goes from one to the other before that.
func (o *office) spokeTo(namespace, addr string) bool {
	o.t.Helper()
	return strings.Contains(o.ip("-n", namespace, "neighbour", "show")+"\n", addr+" ")
}

// addNamespace makes a namespace that is gone when the test ends, with all that
// is in it.
func (o *office) addNamespace(name string) {
	o.t.Helper()
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		needs.Missing(o.t, fmt.Sprintf("network namespaces: %v: %s", err, out))
	}
	o.t.Cleanup(func() { o.ip("netns", "delete", name) })
}

func (o *office) ip(args ...string) string {
	o.t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		o.t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// removeStale removes what test processes left behind that were killed.
func removeStale() {
	entries, _ := os.ReadDir("/run/netns")
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		number, _, _ := strings.Cut(rest, "-")
		if pid, err := strconv.Atoi(number); ours && err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = exec.Command("ip", "netns", "delete", e.Name()).Run()
		}
	}
}
