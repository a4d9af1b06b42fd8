package stream_test

import (
	"testing"
	"testing/synctest"

	"github.com/tom-protocol/tom/protocols/stream/streamtest"
)

func TestPipe(t *testing.T) {
	t.Parallel()
	streamtest.Suite(t, func(t *testing.T) (a, b streamtest.Raw) { return streamtest.Pipe() })
}

// bubble runs f in virtual time; it fails if a goroutine is left.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}
