package backup

//msgp:tuple wireStorage wireAdmission wireStore wireFetch wireAudit wireDrop wireOffer wireHeld wireHolders

type wireStorage struct {
	Holder [32]byte
	Digest [32]byte
	End    uint64
	Sig    [64]byte
}

type wireAdmission struct {
	Recipient [32]byte
	Sender    [32]byte
	Until     uint64
	Sig       [64]byte
}

type wireStore struct {
	Type      uint64
	N         uint64
	Envelope  []byte     `msg:",zerocopy"`
	Holders   [][32]byte `msg:",limit=8"`
	Admission []byte     `msg:",zerocopy,allownil"`
}

type wireFetch struct {
	Type  uint64
	N     uint64
	After []byte `msg:",zerocopy,allownil"`
}

type wireAudit struct {
	Type   uint64
	N      uint64
	Digest [32]byte
	Nonce  [32]byte
}

type wireDrop struct {
	Type    uint64
	N       uint64
	Receipt []byte `msg:",zerocopy"`
}

type wireOffer struct {
	Type uint64
	N    uint64
	Held []wireHeld `msg:",limit=1024"`
}

type wireHeld struct {
	Digest [32]byte
	End    uint64
}

type wireHolders struct {
	Type    uint64
	N       uint64
	Digest  [32]byte
	Holders [][32]byte `msg:",limit=8"`
}
