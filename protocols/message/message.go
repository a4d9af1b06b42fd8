package message

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols/envelope"
)

// The content types of ToM itself. All others are the application's.
const (
	TypeReceipts    = "tom/receipts" // body: an ack frame
	TypeGroupInvite = "tom/group-invite"
	TypeSenderKey   = "tom/sender-key"
	TypeKeyRequest  = "tom/key-request"
	TypeHubRecord   = "tom/hub-record"
)

// MaxType is the length of the longest content type, in bytes.
const MaxType = 128

// ErrContent is returned for a plaintext that is no padded content.
var ErrContent = errors.New("not a padded content")

// Content is one message in clear.
type Content struct {
	Type   string // UTF-8, at most MaxType bytes
	Number uint64 // of the author's messages to this recipient, from 1; for display only
	Body   []byte
}

// Append appends the padded content, PaddedLen bytes long. Type must be valid
// (see CheckType), or the recipient refuses it.
func (c Content) Append(dst []byte) []byte {
	start := len(dst)
	dst = c.AppendUnpadded(dst)
	return append(dst, make([]byte, PaddedLen(len(dst)-start)-(len(dst)-start))...)
}

// AppendUnpadded appends the content's array without padding.
func (c Content) AppendUnpadded(dst []byte) []byte {
	dst = msgp.AppendArrayHeader(dst, fields)
	dst = msgp.AppendString(dst, c.Type)
	dst = msgp.AppendUint64(dst, c.Number)
	return msgp.AppendBytes(dst, c.Body)
}

const fields = 3

// Parse reads a padded content. The padding must be zeros and have the length
// that is due, and everything before it be in its shortest form: one content
// has one plaintext. Body aliases padded.
func Parse(padded []byte) (Content, error) {
	c, rest, err := ParseUnpadded(padded)
	if err != nil {
		return Content{}, err
	}
	if len(padded) != PaddedLen(len(padded)-len(rest)) || !zeros(rest) {
		return Content{}, ErrContent
	}
	return c, nil
}

// Open opens an envelope, whose signature is verified, and reads what is in it. Every
// error is envelope.ErrUnopenable or ErrContent.
func Open(o *envelope.Opener, e *envelope.Envelope) (Content, error) {
	padded, err := o.Open(e)
	if err != nil {
		return Content{}, err
	}
	return Parse(padded)
}

// ParseUnpadded reads a content's array from the beginning of b and returns
// what is left. Body aliases b.
func ParseUnpadded(b []byte) (c Content, left []byte, err error) {
	var w wire
	left, err = w.UnmarshalMsg(b)
	if err != nil {
		return Content{}, nil, fmt.Errorf("%w: %w", ErrContent, err)
	}
	if err := CheckType(w.Type); err != nil {
		return Content{}, nil, fmt.Errorf("%w: %w", ErrContent, err)
	}
	c = Content(w)
	if !c.canonical(b[:len(b)-len(left)]) {
		return Content{}, nil, ErrContent
	}
	return c, left, nil
}

// CheckType says why a content type cannot be sent: it is too long or not
// UTF-8.
func CheckType(s string) error {
	if len(s) > MaxType {
		return fmt.Errorf("a content type of %d bytes is over the limit of %d", len(s), MaxType)
	}
	if !utf8.ValidString(s) {
		return errors.New("a content type must be UTF-8")
	}
	return nil
}

// canonical says whether b is the shortest form of c. The body need not be
// compared.
func (c Content) canonical(b []byte) bool {
	var space [maxOverhead + MaxType]byte
	head := msgp.AppendArrayHeader(space[:0], fields)
	head = msgp.AppendString(head, c.Type)
	head = msgp.AppendUint64(head, c.Number)
	head = msgp.AppendBytesHeader(head, uint32(len(c.Body)))
	return len(head)+len(c.Body) == len(b) && bytes.HasPrefix(b, head)
}

func zeros(b []byte) bool {
	for len(b) >= len(zeroBlock) {
		if !bytes.Equal(b[:len(zeroBlock)], zeroBlock[:]) {
			return false
		}
		b = b[len(zeroBlock):]
	}
	return bytes.Equal(b, zeroBlock[:len(b)])
}

var zeroBlock [256]byte

// maxOverhead is the most that a content adds to its type and body: array
// header, string header, number, length.
const maxOverhead = 1 + 2 + 9 + 5

// MaxBody returns the length of the longest body, in bytes, that can be sent
// with a content type of typeLen bytes, whatever path and proof.
func MaxBody(typeLen int) int {
	return maxUnpadded - maxOverhead - typeLen
}

var maxUnpadded = unpaddedMax(envelope.MaxPlaintext)

// Fits says whether a body can be sent under a content type; the error is an
// envelope.TooLargeError.
func (c Content) Fits() error {
	if len(c.Body) <= MaxBody(len(c.Type)) {
		return nil
	}
	over := len(c.Body) + maxOverhead + len(c.Type)
	return envelope.TooLargeError{
		Size:  PaddedLen(over) + envelope.MaxSize - envelope.MaxPlaintext,
		Limit: envelope.MaxSize,
	}
}
