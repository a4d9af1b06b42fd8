// Command notrun runs go test with the arguments it is given, prints what go
// test would, and names at the end, once, the tests that were not run and what
// they need. Its exit code is that of go test.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go test:", err)
		os.Exit(1)
	}
	r := newReport(os.Stdout)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		r.line(line)
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	r.close()
	if err != nil {
		os.Exit(1)
	}
}
