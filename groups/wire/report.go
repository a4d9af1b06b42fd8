package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Report is a member's word that it asked its hub, waited and had no answer
// (HubUnreachable).
//
//	0 group     bin 16
//	1 reporter  bin 32   signs
//	2 opened    bin 32   hash of the record that opened the silent hub's term
//	3 last      uint     counter of the last beat the reporter knows
//	4 time      uint
//	5 sig       bin 64   tom-group-report-v1
type Report struct {
	Group    GroupID
	Reporter protocols.Key
	Opened   HubHash
	Last     Counter
	Time     Millis
	signed
}

// MaxReport is the length of the longest report, in bytes.
const MaxReport = 1 + 18 + 34 + 34 + 9 + 9 + 66

func (r *Report) count() int            { return 5 }
func (r *Report) tag() protocols.Tag    { return protocols.TagGroupReport }
func (r *Report) signer() protocols.Key { return r.Reporter }

func (r *Report) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, r.Group[:])
	dst = msgp.AppendBytes(dst, r.Reporter[:])
	dst = msgp.AppendBytes(dst, r.Opened[:])
	dst = msgp.AppendUint64(dst, uint64(r.Last))
	return msgp.AppendUint64(dst, uint64(r.Time))
}

func (r *Report) readFields(d *decoder) {
	r.Group = d.b16()
	r.Reporter = d.key()
	r.Opened = d.b32()
	r.Last = Counter(d.uint())
	r.Time = d.time()
}

// Sign returns the signed report. Reporter is the signer's key.
func (r Report) Sign(s protocols.Signer) []byte {
	r.Reporter = s.Public()
	return sign(s, &r)
}

// ParseReport reads a report and verifies it.
func ParseReport(v Verifier, b []byte) (*Report, error) {
	r, err := verified(v, b, MaxReport, &Report{})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return r, nil
}
