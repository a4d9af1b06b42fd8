package prekeys

//msgp:tuple wire dayKey

// wire is the array of a record.
type wire struct {
	Suite uint8
	Node  [32]byte
	Made  uint64
	Keys  []dayKey `msg:",limit=9"`
	Sig   [64]byte
}

type dayKey struct {
	Day    uint32
	Public [32]byte
}
