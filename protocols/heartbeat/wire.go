package heartbeat

//msgp:tuple wire

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
