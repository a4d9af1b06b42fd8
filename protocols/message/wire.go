package message

//msgp:tuple wire

// wire is the array of a content.
type wire struct {
	Type   string
	Number uint64
	Body   []byte `msg:",zerocopy"`
}
