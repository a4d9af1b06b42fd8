package bare

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"
	"math/bits"
	"time"
)

// plaintext packs and pads a message.
func plaintext(kind string, number uint64, body []byte) []byte {
	p := pack{}.array(3).str(kind).uint(number).bin(body)
	return append(p, make([]byte, paddedLen(len(p))-len(p))...)
}

func paddedLen(n int) int {
	if n <= 256 {
		return 256
	}
	e := bits.Len(uint(n)) - 1
	z := e - bits.Len(uint(e))
	return (n + 1<<z - 1) &^ (1<<z - 1)
}

// Message is what was in an envelope.
type Message struct {
	Envelope *Envelope
	Type     string
	Number   uint64
	Body     []byte
}

func parsePlaintext(e *Envelope, b []byte) (*Message, error) {
	u := &unpack{b: b}
	u.choose(u.array() == 3)
	m := &Message{Envelope: e, Type: u.str(), Number: u.uint(), Body: u.bin()}
	if u.err != nil {
		return nil, u.err
	}
	for _, c := range u.b {
		if c != 0 {
			return nil, errors.New("padding is not zeros")
		}
	}
	if len(b) != paddedLen(len(b)-len(u.b)) {
		return nil, errors.New("padded to another length")
	}
	return m, nil
}

// Receipt is a verified receipt.
type Receipt struct {
	Kind     uint64
	From, To ed25519.PublicKey
	Time     uint64
	Entries  []Entry
}

// Entry names one envelope.
type Entry struct{ ID, Digest [16]byte }

// The kinds of receipts that the tests know.
const (
	Delivered = 1
	Read      = 2
	Got       = 4
)

func (r *Receipt) sign(key ed25519.PrivateKey, network string) []byte {
	p := pack{}.uint(r.Kind).bin(r.From).bin(r.To).uint(r.Time).array(len(r.Entries))
	for _, e := range r.Entries {
		p = p.array(2).bin(e.ID[:]).bin(e.Digest[:])
	}
	return structure(key, network, "tom-receipt-v1", 5, p)
}

func parseReceipt(network string, b []byte) (*Receipt, error) {
	u := &unpack{b: b}
	u.choose(u.array() == 6)
	r := &Receipt{Kind: u.uint(), From: u.exactly(32), To: u.exactly(32), Time: u.uint()}
	for range u.array() {
		u.choose(u.array() == 2)
		r.Entries = append(r.Entries, Entry{[16]byte(pad16(u.exactly(16))), [16]byte(pad16(u.exactly(16)))})
	}
	u.exactly(64)
	u.choose(len(u.b) == 0 && len(r.Entries) >= 1 && len(r.Entries) <= 64)
	if u.err != nil {
		return nil, u.err
	}
	return r, verifyStructure(r.From, network, "tom-receipt-v1", b)
}

// pad16 makes 16 bytes of what was refused.
func pad16(b []byte) []byte {
	if len(b) != 16 {
		return make([]byte, 16)
	}
	return b
}

func ackFrame(receipts ...[]byte) []byte {
	p := pack{}.array(3).uint(1).array(len(receipts))
	for _, r := range receipts {
		p = p.bin(r)
	}
	return p.nil()
}

// parseAckFrame reads a frame of receipts and verifies each.
func parseAckFrame(network string, b []byte) ([]*Receipt, error) {
	u := &unpack{b: b}
	u.choose(u.array() >= 3)
	u.choose(u.uint() == 1)
	var receipts []*Receipt
	for range u.array() {
		r, err := parseReceipt(network, u.bin())
		if err != nil {
			return nil, err
		}
		receipts = append(receipts, r)
	}
	u.optional()
	return receipts, u.err
}

func dayOf(t time.Time) uint64 { return uint64(t.UnixMilli()) / 86_400_000 }

// record publishes one prekey, for today and the days around it: the tests may
// run at midnight.
func record(key ed25519.PrivateKey, network string, made time.Time, prekey *ecdh.PublicKey) []byte {
	p := pack{}.uint(1).bin(key.Public().(ed25519.PublicKey)).uint(uint64(made.UnixMilli())).array(3)
	for day := dayOf(made) - 1; day <= dayOf(made)+1; day++ {
		p = p.array(2).uint(day).bin(prekey.Bytes())
	}
	return structure(key, network, "tom-prekeys-v1", 4, p)
}

// todaysPrekey verifies a node's record and picks the key to seal with now.
func todaysPrekey(network string, node ed25519.PublicKey, b []byte, now time.Time) (*ecdh.PublicKey, error) {
	if err := verifyStructure(node, network, "tom-prekeys-v1", b); err != nil {
		return nil, err
	}
	u := &unpack{b: b}
	u.choose(u.array() == 5)
	u.choose(u.uint() == 1)
	u.choose(node.Equal(ed25519.PublicKey(u.exactly(32))))
	u.uint() // made
	var today []byte
	for range u.array() {
		u.choose(u.array() == 2)
		if day, public := u.uint(), u.exactly(32); day == dayOf(now) {
			today = public
		}
	}
	if u.err != nil {
		return nil, u.err
	}
	return ecdh.X25519().NewPublicKey(today)
}

// roleRelay is the role of who passes on envelopes for others.
const roleRelay = 1

// Hello is what a node says of itself.
type Hello struct {
	Version     uint64
	Agent, Name string
	Roles       []uint64
	Prekeys     []byte
	Time        uint64
}

func (h Hello) encode() []byte {
	p := pack{}.array(9).uint(1).uint(1).str(h.Agent).str(h.Name).array(len(h.Roles))
	for _, r := range h.Roles {
		p = p.uint(r)
	}
	return p.array(0).bin(h.Prekeys).nil().uint(h.Time)
}

func parseHello(b []byte) (Hello, error) {
	u := &unpack{b: b}
	u.choose(u.array() >= 9)
	u.choose(u.uint() == 1)
	h := Hello{Version: u.uint(), Agent: u.str(), Name: u.str()}
	for range u.atMost(8) {
		h.Roles = append(h.Roles, u.uint())
	}
	for range u.array() {
		u.str() // capabilities
	}
	h.Prekeys = u.bin()
	u.optional() // admission
	h.Time = u.uint()
	return h, u.err
}

// Answer is a hop answer without its argument, except for the reason of a
// refusal.
type Answer struct {
	Digest [16]byte
	Code   uint64
	Reason uint64
}

// Codes of answers, and a reason.
const (
	Taken   = 1
	Refused = 4
	NoRoute = 3
)

func (a Answer) encode() []byte {
	p := pack{}.array(3).bin(a.Digest[:]).uint(a.Code)
	if a.Code == Refused {
		return p.array(2).uint(a.Reason).uint(0)
	}
	return p.nil()
}

func parseAnswer(b []byte) (Answer, error) {
	u := &unpack{b: b}
	u.choose(u.array() == 3)
	a := Answer{Digest: [16]byte(pad16(u.exactly(16))), Code: u.uint()}
	if a.Code == Refused {
		u.choose(u.array() == 2)
		a.Reason = u.uint()
	}
	return a, u.err
}
