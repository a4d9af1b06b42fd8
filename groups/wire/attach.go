package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Attach is a member's word that it follows a hub, and how far its log goes.
// Hubs that meet count members by their newest one.
//
//	0 group       bin 16
//	1 member      bin 32   signs
//	2 opened      bin 32   hash of the record that opened the term it follows
//	3 number      uint     of its log's last entry
//	4 primary     bin 32   of its log's last entry; the charter's creator for an empty log
//	5 seq         uint     of its log's last entry
//	6 log hash    bin 32   of its log up to there
//	7 time        uint
//	8 sig         bin 64   tom-group-attach-v1
type Attach struct {
	Group  GroupID
	Member protocols.Key
	Opened HubHash
	Last   Place
	Log    LogHash
	Time   Millis
	signed
}

// MaxAttach is the length of the longest attach, in bytes.
const MaxAttach = 1 + 18 + 34 + 34 + 9 + 34 + 9 + 34 + 9 + 66

func (a *Attach) count() int            { return 8 }
func (a *Attach) tag() protocols.Tag    { return protocols.TagGroupAttach }
func (a *Attach) signer() protocols.Key { return a.Member }

func (a *Attach) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, a.Group[:])
	dst = msgp.AppendBytes(dst, a.Member[:])
	dst = msgp.AppendBytes(dst, a.Opened[:])
	dst = a.Last.appendFields(dst)
	dst = msgp.AppendBytes(dst, a.Log[:])
	return msgp.AppendUint64(dst, uint64(a.Time))
}

func (a *Attach) readFields(d *decoder) {
	a.Group = d.b16()
	a.Member = d.key()
	a.Opened = d.b32()
	a.Last.readFields(d)
	a.Log = d.b32()
	a.Time = d.time()
}

// Sign returns the signed attach. Member is the signer's key.
func (a Attach) Sign(s protocols.Signer) []byte {
	a.Member = s.Public()
	return sign(s, &a)
}

// ParseAttach reads an attach and verifies it.
func ParseAttach(v Verifier, b []byte) (*Attach, error) {
	a, err := verified(v, b, MaxAttach, &Attach{})
	if err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	return a, nil
}
