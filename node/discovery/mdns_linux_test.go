package discovery

import (
	"crypto/rand"
	"os"
	"os/exec"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols"
)

// onLAN marks the process that lives in a network namespace of its own.
const onLAN = "TOM_TEST_ON_LAN"

// A LAN of one interface, with and without IPv6, and a machine without any.
func TestNodesOnALANFindEachOtherInSilence(t *testing.T) {
	t.Parallel()
	const lan = "ip link add lan0 type veth peer name lan1 && ip addr add 10.9.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up"
	for name, c := range map[string]struct{ setup, want string }{
		"IPv4 and IPv6":  {lan, "meet"},
		"IPv4 only":      {"echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && " + lan, "meet"},
		"loopback alone": {"true", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := inNamespace(t, "ip link set lo up && "+c.setup, c.want)
			if err != nil || out != "PASS\n" {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// inNamespace runs TestInNamespace of this binary where only setup made a network.
func inNamespace(t *testing.T, setup, want string) (string, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--", "sh", "-c",
		setup+` && exec "$0" -test.run='^TestInNamespace$' -test.count=1`, os.Args[0])
	cmd.Env = append(os.Environ(), onLAN+"="+want)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// missing ends a test that cannot run here: not run for a user, a failure in CI,
// which has it all.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("not run: needs %s", what)
	}
	t.Skipf("not run: needs %s", what)
}

func TestInNamespace(t *testing.T) {
	switch os.Getenv(onLAN) {
	case "meet":
		meet(t)
	case "none":
		if err := NewMDNS(newHost(t), protocols.Main).Run(t.Context(), nil); err != errNoMulticast {
			t.Errorf("%v, want errNoMulticast", err)
		}
	}
}

func meet(t *testing.T) { hearEachOther(t, newHost(t), newHost(t), newHost(t), openLAN) }

func newHost(t *testing.T) host.Host {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/0.0.0.0/tcp/0"),
		libp2p.DisableIdentifyAddressDiscovery(), libp2p.ForceReachabilityPrivate(),
		libp2p.PrometheusRegisterer(prometheus.NewRegistry()), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}
