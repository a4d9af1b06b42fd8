package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// SenderKey gives a member a chain of its owner: the body of a message of type
// tom/sender-key. Whose it is says the envelope it came in.
//
//	0 group           bin 16
//	1 chain           bin 16
//	2 roster version  uint    the roster the chain is for
//	3 roster hash     bin 32
//	4 index           uint    of the first message that the state opens
//	5 state           bin 32
//	6 head            bin?    the newest head the owner follows
//	7 topic secret    bin 32
//	8 secret version  uint    the roster version the secret was made for
type SenderKey struct {
	Group         GroupID
	Chain         ChainID
	Roster        RosterVersion
	RosterHash    RosterHash
	Index         Index
	State         [32]byte
	Head          []byte
	Secret        [32]byte
	SecretVersion RosterVersion
}

func (k *SenderKey) count() int { return 9 }

func (k *SenderKey) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, k.Group[:])
	dst = msgp.AppendBytes(dst, k.Chain[:])
	dst = msgp.AppendUint64(dst, uint64(k.Roster))
	dst = msgp.AppendBytes(dst, k.RosterHash[:])
	dst = msgp.AppendUint64(dst, uint64(k.Index))
	dst = msgp.AppendBytes(dst, k.State[:])
	dst = appendOptionalBin(dst, k.Head)
	dst = msgp.AppendBytes(dst, k.Secret[:])
	return msgp.AppendUint64(dst, uint64(k.SecretVersion))
}

func (k *SenderKey) readFields(d *decoder) {
	k.Group = d.b16()
	k.Chain = d.b16()
	k.Roster = RosterVersion(d.uint())
	k.RosterHash = d.b32()
	k.Index = Index(d.uintUpTo(MaxIndex))
	k.State = d.b32()
	k.Head = d.optionalBin(MaxHead)
	k.Secret = d.b32()
	k.SecretVersion = RosterVersion(d.uint())
}

// MaxIndex is the largest index of a message in its chain.
const MaxIndex = 10_000

const maxSenderKey = 512

// Append appends the encoded sender key.
func (k *SenderKey) Append(dst []byte) []byte { return appendArray(dst, k) }

// ParseSenderKey reads the body of a message of type tom/sender-key. Head
// aliases b.
func ParseSenderKey(b []byte) (*SenderKey, error) {
	k := new(SenderKey)
	if err := parseExact(b, maxSenderKey, k); err != nil {
		return nil, fmt.Errorf("sender key: %w", err)
	}
	return k, nil
}
