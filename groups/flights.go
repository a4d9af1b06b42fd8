package groups

import (
	"slices"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
)

// flights are the own messages on their way into the log, in the order in which the chain
// sealed them. Who joins meanwhile is given the chain as it was before those that come to
// stand behind the join: their author did not know of it.
type flights []flight

type flight struct {
	name  wire.RecordName
	chain senderkey.State // before it
	seq   wire.Seq        // where it stands; 0: it does not yet
}

// leaves notes a message that was sealed.
func (f *flights) leaves(name wire.RecordName, chain senderkey.State) {
	*f = append(*f, flight{name: name, chain: chain})
}

// lands notes that one has come to stand in the log.
func (f flights) lands(name wire.RecordName, seq wire.Seq) {
	if i := f.find(name); i >= 0 {
		f[i].seq = seq
	}
}

// falls notes that one never will.
func (f *flights) falls(name wire.RecordName) {
	if i := f.find(name); i >= 0 {
		*f = slices.Delete(*f, i, i+1)
	}
}

func (f flights) find(name wire.RecordName) int {
	return slices.IndexFunc(f, func(x flight) bool { return x.name == name })
}

// behind is the chain as it was before the first message that stands behind a seq, or
// will, and that opens none which does not; ok is false if there is none.
func (f flights) behind(seq wire.Seq) (chain senderkey.State, ok bool) {
	for _, x := range slices.Backward(f) {
		if x.seq != 0 && x.seq <= seq {
			break
		}
		chain, ok = x.chain, true
	}
	return chain, ok
}

// settle forgets those that stand in the log, as do all before them.
func (f *flights) settle() {
	n := slices.IndexFunc(*f, func(x flight) bool { return x.seq == 0 })
	if n < 0 {
		n = len(*f)
	}
	*f = (*f)[n:]
}
