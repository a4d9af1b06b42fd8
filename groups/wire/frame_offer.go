package wire

import "github.com/tinylib/msgp/msgp"

// Offer is frame 14 of the hub protocol, to a node that the settings list as one
// that may be hub although it is no member: [14, hub record bin, linked [bin],
// evidence [[tag str, bin]], charter bin, listing bin?]. It brings what such a node
// has to know to follow the hub, and to see that an admin wants it to: listing is
// the settings or snapshot record that lists it, nil if the charter does.
type Offer struct {
	HubRecordFrame
	Charter []byte
	Listing []byte
}

func (f *Offer) frameType() uint64 { return 14 }
func (f *Offer) count() int        { return f.HubRecordFrame.count() + 2 }

func (f *Offer) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(f.HubRecordFrame.appendFields(dst), f.Charter)
	return appendOptionalBin(dst, f.Listing)
}

func (f *Offer) readFields(d *decoder) {
	f.HubRecordFrame.readFields(d)
	f.Charter = d.bin(MaxCharter)
	f.Listing = d.optionalBin(MaxRecord)
}
