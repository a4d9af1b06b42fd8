package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Withdrawal takes back a claim to which nobody had attached. Its claimant
// remembers it across restarts and answers late attaches with it.
//
//	0 group     bin 16
//	1 claimant  bin 32   signs
//	2 claim     bin 32   hash of the hub record taken back
//	3 back      bin 32   hash of the record that it linked to
//	4 time      uint
//	5 sig       bin 64   tom-group-withdrawal-v1
type Withdrawal struct {
	Group    GroupID
	Claimant protocols.Key
	Claim    HubHash
	Back     HubHash
	Time     Millis
	signed
}

// MaxWithdrawal is the length of the longest withdrawal, in bytes.
const MaxWithdrawal = 1 + 18 + 34 + 34 + 34 + 9 + 66

func (w *Withdrawal) count() int            { return 5 }
func (w *Withdrawal) tag() protocols.Tag    { return protocols.TagGroupWithdrawal }
func (w *Withdrawal) signer() protocols.Key { return w.Claimant }

func (w *Withdrawal) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, w.Group[:])
	dst = msgp.AppendBytes(dst, w.Claimant[:])
	dst = msgp.AppendBytes(dst, w.Claim[:])
	dst = msgp.AppendBytes(dst, w.Back[:])
	return msgp.AppendUint64(dst, uint64(w.Time))
}

func (w *Withdrawal) readFields(d *decoder) {
	w.Group = d.b16()
	w.Claimant = d.key()
	w.Claim = d.b32()
	w.Back = d.b32()
	w.Time = d.time()
}

// Sign returns the signed withdrawal. Claimant is the signer's key.
func (w Withdrawal) Sign(s protocols.Signer) []byte {
	w.Claimant = s.Public()
	return sign(s, &w)
}

// ParseWithdrawal reads a withdrawal and verifies it.
func ParseWithdrawal(v Verifier, b []byte) (*Withdrawal, error) {
	w, err := verified(v, b, MaxWithdrawal, &Withdrawal{})
	if err != nil {
		return nil, fmt.Errorf("withdrawal: %w", err)
	}
	return w, nil
}
