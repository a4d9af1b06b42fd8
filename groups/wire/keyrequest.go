package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// KeyRequest asks the owner of a chain for it: the body of a message of type
// tom/key-request.
//
//	0 group   bin 16
//	1 chain   bin 16
//	2 author  bin 32   the chain's owner
//	3 record  bin 16   the first that waits for it
type KeyRequest struct {
	Group  GroupID
	Chain  ChainID
	Author protocols.Key
	Record RecordID
}

func (k *KeyRequest) count() int { return 4 }

func (k *KeyRequest) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, k.Group[:])
	dst = msgp.AppendBytes(dst, k.Chain[:])
	dst = msgp.AppendBytes(dst, k.Author[:])
	return msgp.AppendBytes(dst, k.Record[:])
}

func (k *KeyRequest) readFields(d *decoder) {
	k.Group = d.b16()
	k.Chain = d.b16()
	k.Author = d.key()
	k.Record = d.b16()
}

// Append appends the encoded request.
func (k *KeyRequest) Append(dst []byte) []byte { return appendArray(dst, k) }

// ParseKeyRequest reads the body of a message of type tom/key-request.
func ParseKeyRequest(b []byte) (*KeyRequest, error) {
	k := new(KeyRequest)
	if err := parseExact(b, 128, k); err != nil {
		return nil, fmt.Errorf("key request: %w", err)
	}
	return k, nil
}
