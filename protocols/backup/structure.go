package backup

import (
	"errors"

	"github.com/tom-protocol/tom/protocols"
)

// maxMillis is the largest time that an envelope, and so anything here, may
// bear.
const maxMillis = 1<<48 - 1

var (
	errTime = errors.New("a time out of bounds")
	errForm = errors.New("not in its shortest form")
	errLong = errors.New("too long")
	errKey  = errors.New("an unusable or repeated key")
)

// signed is what the wire types of signed structures are.
type signed interface {
	protocols.Marshaler
	protocols.Unmarshaler
}

// readSigned reads b, whose one encoding it must be, into w.
func readSigned(b []byte, limit int, w signed) error {
	if len(b) > limit {
		return errLong
	}
	left, err := w.UnmarshalMsg(b)
	if err != nil {
		return err
	}
	if len(left) > 0 || !protocols.Canonical(w, b) {
		return errForm
	}
	return nil
}
