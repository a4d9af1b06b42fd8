package heartbeat

//msgp:tuple wirePresence

// wirePresence is the array of a presence frame.
type wirePresence struct {
	Type     uint64
	Presence []byte `msg:",zerocopy"`
	Prekeys  []byte `msg:",zerocopy,allownil"`
}
