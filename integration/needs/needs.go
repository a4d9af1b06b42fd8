// Package needs is for tests that need more than Go: a tool, or root. Where it
// is missing they are not run, which make test names at its end; under CI=true,
// where everything is there, that is a failure.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// NotRun begins the message of a test that was not run for want of something.
const NotRun = "not run: needs "

// Tools wants programs on the PATH.
func Tools(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Missing(t, name)
		}
	}
}

// Root wants to be root, as for network namespaces and small file systems.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "root")
	}
}

// Missing ends a test that cannot run here for want of something: not run for a
// user, a failure in CI, which has it all.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(NotRun + what)
	}
	t.Skip(NotRun + what)
}
