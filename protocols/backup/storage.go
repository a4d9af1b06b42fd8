package backup

import (
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// StorageSize is the length of the longest storage receipt, in bytes.
const StorageSize = 1 + 2*34 + 9 + 66

// ErrStorage is returned for what is no storage receipt, or does not verify.
var ErrStorage = errors.New("not a valid storage receipt")

// Storage is a holder's promise to keep an envelope.
type Storage struct {
	Holder protocols.Key
	Digest envelope.Digest
	End    uint64 // milliseconds since the epoch, by the holder's clock
}

// EndAt returns until when the holder promises to keep the envelope.
func (s Storage) EndAt() time.Time { return time.UnixMilli(int64(s.End)) }

// SignStorage returns the signed receipt. Holder is the signer whatever r says.
func SignStorage(s protocols.Signer, r Storage) []byte {
	w := wireStorage{Holder: s.Public(), Digest: r.Digest, End: r.End}
	b, _ := w.MarshalMsg(nil) // it has no error to return
	protocols.SignStructure(s, protocols.TagStorage, b)
	return b
}

// ParseStorage reads a storage receipt and verifies its signature.
func ParseStorage(n protocols.Network, b []byte) (Storage, error) {
	var w wireStorage
	if err := readSigned(b, StorageSize, &w); err != nil {
		return Storage{}, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	r := Storage{Holder: w.Holder, Digest: w.Digest, End: w.End}
	if r.End > maxMillis {
		return Storage{}, fmt.Errorf("%w: %w", ErrStorage, errTime)
	}
	if !n.VerifyStructure(r.Holder, protocols.TagStorage, b) {
		return Storage{}, fmt.Errorf("%w: not signed by the holder", ErrStorage)
	}
	return r, nil
}
