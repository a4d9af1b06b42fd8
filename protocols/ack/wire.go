package ack

//msgp:tuple wire wireEntry wireFrame
//msgp:ignore raw

// wire is the array of a receipt.
type wire struct {
	Kind    uint8
	From    [32]byte
	To      [32]byte
	Time    uint64
	Entries []wireEntry `msg:",limit=64"`
	Sig     [64]byte
}

type wireEntry struct {
	ID     [16]byte
	Digest [16]byte
}

// wireFrame is the array of a frame of /tom/ack.
type wireFrame struct {
	Type     uint64
	Receipts []raw  `msg:",limit=64"`
	Prekeys  []byte `msg:",zerocopy,allownil"`
}
