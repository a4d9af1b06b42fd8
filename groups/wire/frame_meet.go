package wire

// Meet is frame 13 of the hub protocol, between two hubs that learn of each
// other: [13, hub record bin, linked [bin], evidence [[tag str, bin]]]. The
// record is the sender's own, the evidence the newest attach of each member that
// follows it.
type Meet struct{ HubRecordFrame }

func (f *Meet) frameType() uint64 { return 13 }
