package groups

import (
	"testing"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
)

// Who has joined is given the chain for all that stands behind the join, and for nothing
// that stands before it.
func TestWhoJoinsOpensWhatStandsBehindTheJoin(t *testing.T) {
	t.Parallel()
	const join = 10
	for name, c := range map[string]struct {
		seqs []wire.Seq // of messages 0, 1, 2 …; 0: on its way
		want int        // the first that is opened; -1: none
	}{
		"nothing was written":              {want: -1},
		"all stand before it":              {seqs: []wire.Seq{8, 9}, want: -1},
		"all are on their way":             {seqs: []wire.Seq{0, 0}, want: 0},
		"all stand behind it":              {seqs: []wire.Seq{11, 12}, want: 0},
		"some stand before it":             {seqs: []wire.Seq{8, 9, 11, 0}, want: 2},
		"a later one stands before it too": {seqs: []wire.Seq{11, 9, 12}, want: 2},
	} {
		var f flights
		for i, seq := range c.seqs {
			of := wire.RecordName{ID: wire.RecordID{byte(i + 1)}}
			f.leaves(of, senderkey.State{Index: wire.Index(i)})
			f.lands(of, seq)
		}
		if chain, ok := f.behind(join); ok != (c.want >= 0) || ok && chain.Index != wire.Index(c.want) {
			t.Errorf("%s: from %d, %v", name, chain.Index, ok)
		}
		for f.settle(); len(f) > 0; f.settle() {
			if f[0].seq != 0 {
				t.Fatalf("%s: what stands at %d is kept", name, f[0].seq)
			}
			f.falls(f[0].name)
		}
	}
}
