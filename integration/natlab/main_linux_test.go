package natlab

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(proc.CleanUp(), dismissUndertaker()); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}
