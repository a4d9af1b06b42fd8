package bare

// The types of frames on heartbeat streams.
const (
	typeHello      = 1
	typeBeat       = 2
	typePresence   = 3
	typeBeatAnswer = 4
)

// frameType is element 0 of a frame.
func frameType(b []byte) (uint64, error) {
	u := &unpack{b: b}
	u.choose(u.array() >= 1)
	return u.uint(), u.err
}

// Beat asks for a sign of life.
type Beat struct{ Counter, Load, Time uint64 }

func (b Beat) encode() []byte {
	return pack{}.array(4).uint(typeBeat).uint(b.Counter).uint(b.Load).uint(b.Time)
}

func parseBeat(b []byte) (Beat, error) {
	u := &unpack{b: b}
	u.choose(len(b) <= 256 && u.array() >= 4)
	u.choose(u.uint() == typeBeat)
	return Beat{u.uint(), min(u.uint(), 255), u.uint()}, u.err
}

// BeatAnswer is a sign of life.
type BeatAnswer struct{ Counter, Time uint64 }

func (a BeatAnswer) encode() []byte {
	return pack{}.array(3).uint(typeBeatAnswer).uint(a.Counter).uint(a.Time)
}

func parseBeatAnswer(b []byte) (BeatAnswer, error) {
	u := &unpack{b: b}
	u.choose(len(b) <= 256 && u.array() >= 3)
	u.choose(u.uint() == typeBeatAnswer)
	return BeatAnswer{u.uint(), u.uint()}, u.err
}

func presenceFrame(presence, prekeys []byte) []byte {
	p := pack{}.array(3).uint(typePresence).bin(presence)
	if len(prekeys) == 0 {
		return p.nil()
	}
	return p.bin(prekeys)
}

func parsePresenceFrame(b []byte) (presence, prekeys []byte, err error) {
	u := &unpack{b: b}
	u.choose(len(b) <= 4096 && u.array() >= 3)
	u.choose(u.uint() == typePresence)
	presence, prekeys = u.bin(), u.optional()
	return presence, prekeys, u.err
}
