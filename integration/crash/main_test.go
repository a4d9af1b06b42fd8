package crash

import (
	"os"
	"testing"

	"github.com/tom-protocol/tom/integration/proc/proctest"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }
