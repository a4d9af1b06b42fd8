//go:build !unix

package child

import (
	"errors"
	"os"
)

// CanPause says that processes can be paused here.
const CanPause = false

func suspend(*os.Process, bool) error {
	return errors.New("processes cannot be paused on this system")
}
