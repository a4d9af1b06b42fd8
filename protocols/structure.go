package protocols

import "bytes"

// A signed structure is a MessagePack array of at most 15 elements, the last
// of which is the signature, bin 64. The signature covers the exact bytes of
// the elements before it, without the array header.
const (
	structureHeader = 1                 // a fixarray's header
	structureTail   = 2 + SignatureSize // bin 8, length, signature
)

// SignStructure signs the encoded structure b in place: its last element is
// overwritten with the signature. b must be a whole structure.
func SignStructure(s Signer, tag Tag, b []byte) {
	sig := s.Sign(tag, StructureBody(b))
	copy(b[len(b)-SignatureSize:], sig[:])
}

// VerifyStructure says whether the encoded structure b carries k's signature.
// b must have been parsed: what is too short for a signature is not verified.
func (n Network) VerifyStructure(k Key, tag Tag, b []byte) bool {
	if len(b) < structureHeader+structureTail {
		return false
	}
	s := SignedStructure(k, tag, b)
	return n.Verify(s.Key, s.Tag, s.Msg, s.Sig)
}

// SignedStructure returns what the signature of an encoded structure, said to be k's, is
// verified by. It panics on what cannot be a structure.
func SignedStructure(k Key, tag Tag, b []byte) Signed {
	return Signed{Key: k, Tag: tag, Msg: StructureBody(b), Sig: b[len(b)-SignatureSize:]}
}

// StructureBody returns what the signature of an encoded structure covers,
// before the prefix of tag and network. It panics on what cannot be a
// structure.
func StructureBody(b []byte) []byte { return b[structureHeader : len(b)-structureTail] }

// A Marshaler appends its MessagePack encoding to b.
type Marshaler interface {
	MarshalMsg(b []byte) ([]byte, error)
}

// Canonical says whether b is exactly how v is encoded: every integer and
// length in its shortest form, no byte missing and none too many.
func Canonical(v Marshaler, b []byte) bool {
	again, err := v.MarshalMsg(make([]byte, 0, len(b)))
	return err == nil && bytes.Equal(again, b)
}
