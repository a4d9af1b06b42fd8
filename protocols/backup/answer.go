package backup

import (
	"errors"
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/stream"
)

// Code is what a holder answers.
type Code uint8

// The codes of an answer; those below 5 are envelope's.
const (
	Stored    Code = 2 // Storage
	Busy      Code = 3 // RetryMillis
	Refused   Code = 4 // Reason, Value
	Envelopes Code = 5 // Envelopes, More
	Hash      Code = 6 // Hash, nil if the envelope is not held
	Wanted    Code = 7 // Wanted
	Gone      Code = 8 // Receipts
	Done      Code = 9
)

// MaxGone is how many receipts one answer may carry.
const MaxGone = 64

// maxPage is how many bytes of envelopes go into one answer.
const maxPage = stream.MaxFrame - 4096

// Answer is a holder's answer to one question.
type Answer struct {
	Code        Code
	Storage     []byte            // Stored: the signed storage receipt
	RetryMillis uint64            // Busy: when to come again, from now
	Reason      envelope.Reason   // Refused
	Value       uint64            // Refused: see the reason
	Envelopes   [][]byte          // Envelopes: in the order of their digests
	More        bool              // Envelopes: there are more behind these
	Hash        *[32]byte         // Hash: see Proof
	Wanted      []envelope.Digest // Wanted: at most MaxOffer
	Receipts    [][]byte          // Gone: signed by the recipient, at most MaxGone
}

const answerFields = 3

// ErrAnswer is returned for what is no answer of a holder.
var ErrAnswer = errors.New("not a valid backup answer")

// Append appends the encoded answer to question n: [n, code, argument].
func (a *Answer) Append(dst []byte, n Number) []byte {
	dst = msgp.AppendArrayHeader(dst, answerFields)
	dst = msgp.AppendUint64(dst, uint64(n))
	dst = msgp.AppendUint8(dst, uint8(a.Code))
	switch a.Code {
	case Stored:
		return msgp.AppendBytes(dst, a.Storage)
	case Busy:
		return msgp.AppendUint64(dst, a.RetryMillis)
	case Refused:
		dst = msgp.AppendArrayHeader(dst, 2)
		dst = msgp.AppendUint8(dst, uint8(a.Reason))
		return msgp.AppendUint64(dst, a.Value)
	case Envelopes:
		dst = msgp.AppendArrayHeader(dst, 2)
		return msgp.AppendBool(appendBins(dst, a.Envelopes), a.More)
	case Hash:
		if a.Hash != nil {
			return msgp.AppendBytes(dst, a.Hash[:])
		}
	case Wanted:
		dst = msgp.AppendArrayHeader(dst, uint32(len(a.Wanted)))
		for i := range a.Wanted {
			dst = msgp.AppendBytes(dst, a.Wanted[i][:])
		}
		return dst
	case Gone:
		return appendBins(dst, a.Receipts)
	}
	return msgp.AppendNil(dst)
}

func appendBins(dst []byte, bins [][]byte) []byte {
	dst = msgp.AppendArrayHeader(dst, uint32(len(bins)))
	for _, b := range bins {
		dst = msgp.AppendBytes(dst, b)
	}
	return dst
}

// ParseAnswer reads an answer and the number of its question. A code that is
// not known is an error. Byte strings in it alias b.
func ParseAnswer(b []byte) (Number, *Answer, error) {
	n, a, err := parseAnswer(b)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return n, a, nil
}

func parseAnswer(b []byte) (Number, *Answer, error) {
	b, extra, err := protocols.CutTuple(b, answerFields)
	if err != nil {
		return 0, nil, err
	}
	n, b, err := msgp.ReadUint64Bytes(b[1:])
	if err != nil {
		return 0, nil, err
	}
	code, b, err := msgp.ReadUint8Bytes(b)
	if err != nil {
		return 0, nil, err
	}
	a := &Answer{Code: Code(code)}
	if b, err = a.readArgument(b); err != nil {
		return 0, nil, err
	}
	return Number(n), a, protocols.SkipExtra(b, extra)
}

func (a *Answer) readArgument(b []byte) (left []byte, err error) {
	switch a.Code {
	case Stored:
		a.Storage, left, err = msgp.ReadBytesZC(b)
		if len(a.Storage) > StorageSize {
			err = errLong
		}
	case Busy:
		a.RetryMillis, left, err = msgp.ReadUint64Bytes(b)
	case Refused:
		left, err = a.readRefusal(b)
	case Envelopes:
		left, err = a.readEnvelopes(b)
	case Hash:
		left, err = a.readHash(b)
	case Wanted:
		left, err = a.readWanted(b)
	case Gone:
		a.Receipts, left, err = readBins(b, MaxGone, ack.MaxReceipt)
	case Done:
		left, err = msgp.ReadNilBytes(b)
	default:
		err = fmt.Errorf("code %d is not known", a.Code)
	}
	return left, err
}

func (a *Answer) readRefusal(b []byte) ([]byte, error) {
	b, err := readPair(b)
	if err != nil {
		return nil, err
	}
	reason, b, err := msgp.ReadUint64Bytes(b)
	if err != nil {
		return nil, err
	}
	a.Reason = envelope.Reason(min(reason, math.MaxUint8))
	a.Value, b, err = msgp.ReadUint64Bytes(b)
	return b, err
}

func (a *Answer) readEnvelopes(b []byte) ([]byte, error) {
	b, err := readPair(b)
	if err != nil {
		return nil, err
	}
	if a.Envelopes, b, err = readBins(b, stream.MaxFrame, envelope.MaxSize); err != nil {
		return nil, err
	}
	a.More, b, err = msgp.ReadBoolBytes(b)
	return b, err
}

func (a *Answer) readHash(b []byte) ([]byte, error) {
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	hash, b, err := msgp.ReadBytesZC(b)
	if err != nil {
		return nil, err
	}
	if len(hash) != 32 {
		return nil, errors.New("a hash of a wrong length")
	}
	a.Hash = (*[32]byte)(hash)
	return b, nil
}

func (a *Answer) readWanted(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, err
	}
	if size > MaxOffer {
		return nil, errLong
	}
	for range size {
		var d envelope.Digest
		if b, err = msgp.ReadExactBytes(b, d[:]); err != nil {
			return nil, err
		}
		a.Wanted = append(a.Wanted, d)
	}
	return b, nil
}

// readBins reads an array of at most limit byte strings of at most size bytes.
// It grows with what is there, not with what is claimed.
func readBins(b []byte, limit, size int) (bins [][]byte, left []byte, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, nil, err
	}
	if int64(n) > int64(limit) {
		return nil, nil, errLong
	}
	for range n {
		var bin []byte
		if bin, b, err = msgp.ReadBytesZC(b); err != nil {
			return nil, nil, err
		}
		if len(bin) > size {
			return nil, nil, errLong
		}
		bins = append(bins, bin)
	}
	return bins, b, nil
}

func readPair(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && size != 2 {
		err = errors.New("not a pair")
	}
	return b, err
}
