package links

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/protocols/stream"
	"github.com/tom-protocol/tom/protocols/stream/streamtest"
)

// A stream may be let in while the node still runs, and become a line when the
// others have been told to end: the end of the node does not wait until it is
// idle.
func TestALineThatComesAtTheEndEndsWithTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &Links{lines: make(map[*stream.Line]struct{})}
		l.closeLines()
		begun := time.Now()
		raw, far := streamtest.Pipe()
		defer far.Reset()
		line := stream.NewLine(raw, stream.Limits{})
		l.track(line)
		l.untrack(line)
		if took := time.Since(begun); took > 0 {
			t.Errorf("it ended after %v", took)
		}
		if len(l.lines) > 0 {
			t.Error("it is remembered")
		}
	})
}
