package envelope

//msgp:tuple wire

// wire is the array of an envelope.
type wire struct {
	Version  uint8
	ID       [16]byte
	From     [32]byte
	To       [32]byte
	Created  uint64
	Lifetime uint32
	Key      []byte     `msg:",zerocopy"`
	Body     []byte     `msg:",zerocopy"`
	Proof    []byte     `msg:",zerocopy"`
	Via      [][32]byte `msg:",limit=4"`
	Hops     uint64
}
