package heartbeat

//msgp:tuple wire
//msgp:tuple beatWire
//msgp:tuple answerWire

// wire is the array of a hello.
type wire struct {
	Type         uint64
	Version      uint64
	Agent        string
	Name         string
	Roles        []uint64 `msg:",limit=8"`
	Capabilities []string `msg:",limit=32"`
	Prekeys      []byte   `msg:",zerocopy"`
	Admission    []byte   `msg:",zerocopy,allownil"`
	Time         uint64
}

// beatWire is the array of a beat.
type beatWire struct {
	Type    uint64
	Counter uint64
	Load    uint64
	Time    uint64
}

// answerWire is the array of the answer to a beat.
type answerWire struct {
	Type    uint64
	Counter uint64
	Time    uint64
}
