package wire

import "github.com/tinylib/msgp/msgp"

// Accepted is frame 11 of the group protocol, hub to member: [11, group bin 16,
// [[record id bin 16, number uint, seq uint]], replicas uint].
type Accepted struct {
	Group    GroupID
	Records  []AcceptedRecord // at most MaxPublish
	Replicas uint64           // stores that hold them, the hub's included
}

// AcceptedRecord is where a member's own record stands.
type AcceptedRecord struct {
	ID     RecordID
	Number Number
	Seq    Seq
}

func (f *Accepted) frameType() uint64 { return 11 }
func (f *Accepted) count() int        { return 3 }

func (f *Accepted) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendArrayHeader(dst, uint32(len(f.Records)))
	for i := range f.Records {
		dst = appendArray(dst, &f.Records[i])
	}
	return msgp.AppendUint64(dst, f.Replicas)
}

func (f *Accepted) readFields(d *decoder) {
	f.Group = d.b16()
	f.Records = make([]AcceptedRecord, d.size(MaxPublish))
	for i := range f.Records {
		d.array(3)
		f.Records[i].readFields(d)
	}
	f.Replicas = d.uint()
}

func (a *AcceptedRecord) count() int { return 3 }

func (a *AcceptedRecord) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, a.ID[:])
	dst = msgp.AppendUint64(dst, uint64(a.Number))
	return msgp.AppendUint64(dst, uint64(a.Seq))
}

func (a *AcceptedRecord) readFields(d *decoder) {
	a.ID = d.b16()
	a.Number = Number(d.uint())
	a.Seq = Seq(d.uint())
}
