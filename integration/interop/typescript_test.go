package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tom-protocol/tom/integration/needs"
)

// The program in typescript/ has the specification and Node's own cryptography,
// and nothing of ours but the golden files.
func TestAnotherLanguageMakesTheSameGoldenFiles(t *testing.T) {
	t.Parallel()
	needs.Tools(t, "node", "npm")
	oldNode(t)
	install(t)
	protocols, err := filepath.Abs(filepath.Join("..", "..", "protocols"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"node", filepath.Join("node_modules", "typescript", "bin", "tsc")},
		{"node", filepath.Join("build", "main.js"), protocols},
	} {
		if out, err := inTypescript(args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}

func inTypescript(args ...string) ([]byte, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "typescript"
	return cmd.CombinedOutput()
}

// install fetches the compiler and the one library, unless they are there.
func install(t *testing.T) {
	t.Helper()
	lock, err := os.Stat(filepath.Join("typescript", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.Stat(filepath.Join("typescript", "node_modules", ".package-lock.json"))
	if err == nil && !have.ModTime().Before(lock.ModTime()) {
		return
	}
	if out, err := inTypescript("npm", "ci"); err != nil {
		t.Logf("npm ci: %v\n%s", err, out)
		needs.Missing(t, "the packages of npm ci")
	}
}

// oldNode leaves the test out where Node.js is too old for the library.
func oldNode(t *testing.T) {
	t.Helper()
	out, err := inTypescript("node", "--version")
	if err != nil {
		t.Fatal(err)
	}
	var major, minor int
	fmt.Sscanf(string(out), "v%d.%d", &major, &minor)
	if major < 20 || major == 20 && minor < 19 {
		needs.Missing(t, "node 20.19")
	}
}
