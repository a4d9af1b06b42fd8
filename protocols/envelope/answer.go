package envelope

import (
	"errors"
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Code is what became of an envelope at the next hop.
type Code uint8

// The codes of a hop answer.
const (
	Taken   Code = 1 // the other side has it: no promise
	Stored  Code = 2 // a holder has it, and signed for it
	Busy    Code = 3 // come again
	Refused Code = 4 // for a reason
)

// Reason is why an envelope was refused.
type Reason uint8

// The reasons of a refusal. Others may come: a reason that is not known is a
// refusal all the same.
const (
	ReasonClock     Reason = 1 // value: the refuser's time, in milliseconds
	ReasonQuota     Reason = 2
	ReasonNoRoute   Reason = 3
	ReasonConflict  Reason = 4 // the same id with another digest
	ReasonHops      Reason = 5
	ReasonPolicy    Reason = 6
	ReasonVersion   Reason = 7
	ReasonRoster    Reason = 8 // value: the roster's version
	ReasonNotMember Reason = 9
	ReasonSize      Reason = 10
)

var reasonNames = [...]string{
	"unknown", "clock", "quota", "no route", "conflict", "hops", "policy", "version", "roster", "not a member", "size",
}

// String returns the reason in a word or three.
func (r Reason) String() string {
	if int(r) >= len(reasonNames) {
		return reasonNames[0]
	}
	return reasonNames[r]
}

// MaxAnswer is the length of the longest hop answer that is read, in bytes.
const MaxAnswer = 1024

// Answer is a hop's answer to one envelope.
type Answer struct {
	Digest      [16]byte // Digest.Short of the envelope
	Code        Code
	RetryMillis uint64 // Busy: when to come again, from now
	Reason      Reason // Refused
	Value       uint64 // Refused: see the reason
	Storage     []byte // Stored: the signed storage receipt
}

const answerFields = 3

// ErrAnswer is returned for what is no hop answer.
var ErrAnswer = errors.New("not a hop answer")

// Append appends the encoded answer: [digest, code, argument].
func (a Answer) Append(dst []byte) []byte {
	dst = msgp.AppendArrayHeader(dst, answerFields)
	dst = msgp.AppendBytes(dst, a.Digest[:])
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
	default:
		return msgp.AppendNil(dst)
	}
}

// ParseAnswer reads an answer. A code that is not known is an error. Storage
// aliases b.
func ParseAnswer(b []byte) (Answer, error) {
	a, err := parseAnswer(b)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return a, nil
}

func parseAnswer(b []byte) (a Answer, err error) {
	if len(b) > MaxAnswer {
		return a, errors.New("too long")
	}
	b, extra, err := protocols.CutTuple(b, answerFields)
	if err != nil {
		return a, err
	}
	digest, b, err := msgp.ReadBytesZC(b[1:])
	if err != nil {
		return a, err
	}
	if len(digest) != len(a.Digest) {
		return a, errors.New("a digest of a wrong length")
	}
	a.Digest = [16]byte(digest)
	code, b, err := msgp.ReadUint8Bytes(b)
	if err != nil {
		return a, err
	}
	a.Code = Code(code)
	if b, err = a.readArgument(b); err != nil {
		return a, err
	}
	return a, protocols.SkipExtra(b, extra)
}

func (a *Answer) readArgument(b []byte) (left []byte, err error) {
	switch a.Code {
	case Taken:
		return msgp.ReadNilBytes(b)
	case Stored:
		a.Storage, left, err = msgp.ReadBytesZC(b)
		return left, err
	case Busy:
		a.RetryMillis, left, err = msgp.ReadUint64Bytes(b)
		return left, err
	case Refused:
		return a.readRefusal(b)
	default:
		return nil, fmt.Errorf("code %d is not known", a.Code)
	}
}

// readRefusal reads [reason, value].
func (a *Answer) readRefusal(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, err
	}
	if size != 2 {
		return nil, errors.New("a refusal without reason and value")
	}
	reason, b, err := msgp.ReadUint64Bytes(b)
	if err != nil {
		return nil, err
	}
	a.Reason = Reason(min(reason, math.MaxUint8))
	a.Value, b, err = msgp.ReadUint64Bytes(b)
	return b, err
}
