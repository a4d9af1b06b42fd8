package presence

//msgp:tuple wire wireRole

// wire is the array of a presence.
type wire struct {
	Node    [32]byte
	Made    uint64
	Until   uint64
	Roles   []wireRole `msg:",limit=8"`
	Addrs   [][]byte   `msg:",limit=128"` // of the array and of each; how many is checked
	Load    uint8
	Holders [][32]byte `msg:",limit=8"`
	Sig     [64]byte
}

type wireRole struct {
	Role  uint8
	Until uint64
}
