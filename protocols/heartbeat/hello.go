package heartbeat

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// Version is the version of the protocols described here.
const Version = 1

// Limits of a hello.
const (
	MaxName         = 64 // bytes of an agent, name or capability
	MaxRoles        = 8
	MaxCapabilities = 32
	MaxAdmission    = 256  // bytes
	MaxSize         = 4096 // bytes of a whole hello
)

// The roles a node may offer.
const (
	RoleRelay  = 1
	RoleBackup = 2
	RoleHub    = 3
)

// ErrHello is returned for what is no hello.
var ErrHello = errors.New("not a valid hello")

const helloFields = 9

// Hello is what a node says of itself. All of it but the signed structures is
// a claim.
type Hello struct {
	Version      uint8 // 255 stands for all above
	Agent        string
	Name         string
	Roles        []uint8
	Capabilities []string
	Prekeys      []byte // as prekeys.Sign returned it, or empty
	Admission    []byte // nil for none
	Time         uint64 // milliseconds since the epoch
}

// Append appends the encoded hello. What is too long is cut or left out.
func (h Hello) Append(dst []byte) []byte {
	w := wire{
		Type: TypeHello, Version: uint64(h.Version), Agent: Clean(h.Agent), Name: Clean(h.Name),
		Prekeys: h.Prekeys, Admission: h.Admission, Time: h.Time,
	}
	for _, r := range h.Roles[:min(len(h.Roles), MaxRoles)] {
		w.Roles = append(w.Roles, uint64(r))
	}
	for _, c := range h.Capabilities[:min(len(h.Capabilities), MaxCapabilities)] {
		w.Capabilities = append(w.Capabilities, Clean(c))
	}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

// ParseHello reads a hello. Control characters are stripped from its texts;
// roles above 255 are left out. Prekeys and Admission alias b and are still to
// be parsed. A frame of another type is protocols.ErrFrameType.
func ParseHello(b []byte) (Hello, error) {
	if len(b) > MaxSize {
		return Hello{}, fmt.Errorf("%w: too long", ErrHello)
	}
	if kind, err := protocols.FrameType(b); err != nil {
		return Hello{}, fmt.Errorf("%w: %w", ErrHello, err)
	} else if kind != TypeHello {
		return Hello{}, protocols.ErrFrameType
	}
	var w wire
	if err := protocols.ReadTuple(b, helloFields, &w); err != nil {
		return Hello{}, fmt.Errorf("%w: %w", ErrHello, err)
	}
	if err := w.check(); err != nil {
		return Hello{}, fmt.Errorf("%w: %w", ErrHello, err)
	}
	return w.hello(), nil
}

func (w *wire) check() error {
	for _, s := range append([]string{w.Agent, w.Name}, w.Capabilities...) {
		if len(s) > MaxName || !utf8.ValidString(s) {
			return errors.New("a text too long or not UTF-8")
		}
	}
	if len(w.Prekeys) > prekeys.MaxSize || len(w.Admission) > MaxAdmission {
		return errors.New("a signed structure too long")
	}
	return nil
}

func (w *wire) hello() Hello {
	h := Hello{
		Version: uint8(min(w.Version, math.MaxUint8)), Agent: Clean(w.Agent), Name: Clean(w.Name),
		Prekeys: w.Prekeys, Admission: w.Admission, Time: w.Time,
	}
	for _, r := range w.Roles {
		if r <= math.MaxUint8 {
			h.Roles = append(h.Roles, uint8(r))
		}
	}
	for _, c := range w.Capabilities {
		h.Capabilities = append(h.Capabilities, Clean(c))
	}
	return h
}

// Clean returns a text as it may be shown in a terminal: valid UTF-8 without
// control and formatting characters, cut to MaxName bytes.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, s)
	if len(s) <= MaxName {
		return s
	}
	cut := MaxName
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
