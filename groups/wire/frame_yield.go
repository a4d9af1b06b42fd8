package wire

// Yield is frame 11 of the hub protocol, between two hubs that meet, from the
// one that decides against itself: [11, hub record bin, linked [bin], evidence
// [[tag str, bin]]]. The record is its own; the other one merges with it.
type Yield struct{ HubRecordFrame }

func (f *Yield) frameType() uint64 { return 11 }
