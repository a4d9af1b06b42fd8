package backup

import (
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Lengths and times of an admission.
const (
	AdmissionSize = 1 + 2*34 + 9 + 66   // the longest, in bytes
	AdmissionLife = 30 * 24 * time.Hour // from when it is given
)

// ErrAdmission is returned for what is no admission, or does not verify.
var ErrAdmission = errors.New("not a valid admission")

// Admission is a recipient's word to holders that a sender is no stranger.
type Admission struct {
	Recipient protocols.Key
	Sender    protocols.Key
	Until     uint64 // milliseconds since the epoch
}

// UntilAt returns when the admission ends.
func (a Admission) UntilAt() time.Time { return time.UnixMilli(int64(a.Until)) }

// SignAdmission returns the signed admission. Recipient is the signer whatever
// a says.
func SignAdmission(s protocols.Signer, a Admission) []byte {
	w := wireAdmission{Recipient: s.Public(), Sender: a.Sender, Until: a.Until}
	b, _ := w.MarshalMsg(nil) // it has no error to return
	protocols.SignStructure(s, protocols.TagAdmission, b)
	return b
}

// ParseAdmission reads an admission and verifies its signature. Whether it is
// over is for Admits to say.
func ParseAdmission(n protocols.Network, b []byte) (Admission, error) {
	var w wireAdmission
	if err := readSigned(b, AdmissionSize, &w); err != nil {
		return Admission{}, fmt.Errorf("%w: %w", ErrAdmission, err)
	}
	a := Admission{Recipient: w.Recipient, Sender: w.Sender, Until: w.Until}
	switch {
	case a.Until > maxMillis:
		return Admission{}, fmt.Errorf("%w: %w", ErrAdmission, errTime)
	case !a.Sender.Usable():
		return Admission{}, fmt.Errorf("%w: %w", ErrAdmission, errKey)
	case !n.VerifyStructure(a.Recipient, protocols.TagAdmission, b):
		return Admission{}, fmt.Errorf("%w: not signed by the recipient", ErrAdmission)
	}
	return a, nil
}

// Admits says whether the admission is good for an envelope now: given by its
// recipient to its author, not over, and not for longer than one may be given.
func (a Admission) Admits(e *envelope.Envelope, now time.Time) bool {
	until := a.UntilAt()
	return a.Recipient == e.To && a.Sender == e.From &&
		now.Before(until) && !until.After(now.Add(AdmissionLife+envelope.ClockSkew))
}
