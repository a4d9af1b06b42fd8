package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Beat says that a node is alive and which hub it follows: the primary's, and a
// member's answer, which repeats term, version and counter.
//
//	0 group    bin 16
//	1 node     bin 32   signs
//	2 number   uint
//	3 opened   bin 32   hash of the hub record that opened the term
//	4 version  uint
//	5 counter  uint     of the primary, within the term
//	6 seq      uint     the newest the node holds
//	7 time     uint     of the node that signs
//	8 sig      bin 64   tom-group-beat-v1
type Beat struct {
	Group   GroupID
	Node    protocols.Key
	Term    Term
	Version Version
	Counter Counter
	Seq     Seq
	Time    Millis
	signed
}

// MaxBeatSize is the length of the longest beat, in bytes.
const MaxBeatSize = 1 + 18 + 34 + 9 + 34 + 9 + 9 + 9 + 9 + 66

func (b *Beat) count() int            { return 8 }
func (b *Beat) tag() protocols.Tag    { return protocols.TagGroupBeat }
func (b *Beat) signer() protocols.Key { return b.Node }

func (b *Beat) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, b.Group[:])
	dst = msgp.AppendBytes(dst, b.Node[:])
	dst = msgp.AppendUint64(dst, uint64(b.Term.Number))
	dst = msgp.AppendBytes(dst, b.Term.Opened[:])
	dst = msgp.AppendUint64(dst, uint64(b.Version))
	dst = msgp.AppendUint64(dst, uint64(b.Counter))
	dst = msgp.AppendUint64(dst, uint64(b.Seq))
	return msgp.AppendUint64(dst, uint64(b.Time))
}

func (b *Beat) readFields(d *decoder) {
	b.Group = d.b16()
	b.Node = d.key()
	b.Term.Number = Number(d.uint())
	b.Term.Opened = d.b32()
	b.Version = Version(d.uint())
	b.Counter = Counter(d.uint())
	b.Seq = Seq(d.uint())
	b.Time = d.time()
}

// Sign returns the signed beat. Node is the signer's key.
func (b Beat) Sign(s protocols.Signer) []byte {
	b.Node = s.Public()
	return sign(s, &b)
}

// ParseBeat reads a beat and verifies it.
func ParseBeat(v Verifier, b []byte) (*Beat, error) {
	beat, err := verified(v, b, MaxBeatSize, &Beat{})
	if err != nil {
		return nil, fmt.Errorf("beat: %w", err)
	}
	return beat, nil
}
