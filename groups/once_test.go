package groups_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// Who says again what it has no answer to yet, under the id that it chose, writes it
// once: where all of that waits for keys to be given, and where it waits for nothing.
func TestWhatIsSaidAgainBeforeItIsSignedIsWrittenOnce(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		author := c.nodes[1]
		c.write(c.nodes[0], "before", 2)
		author.Posting = time.Second
		var sent atomic.Int64
		c.town.Drop(func(from, _ protocols.Key, hub bool, frame []byte) bool {
			if p, ok := frameOf[*wire.Publish](hub, frame); ok && from == author.Key {
				sent.Add(int64(len(p.Records)))
			}
			return false
		})
		for _, id := range []wire.RecordID{{1}, {2}} {
			sent.Store(0)
			errs := make(chan error)
			for range 3 {
				go func() {
					_, err := author.SendOnce(c.t.Context(), c.group, id, "text/plain", []byte("once"))
					errs <- err
				}()
			}
			for range 3 {
				c.must(<-errs)
			}
			st := c.reaches(author, id, 2)
			virtual.Pass(time.Second)
			if n := sent.Load(); n != 1 || st.Refused != 0 {
				c.t.Errorf("%d were sent: %+v", n, st)
			}
		}
	})
}
