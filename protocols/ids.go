package protocols

// The protocol ids of the network "main". Network.Protocol gives the id to use.
const (
	EnvelopeProtocol  = "/tom/envelope/1.0.0"  // envelopes, and hop answers the other way
	AckProtocol       = "/tom/ack/1.0.0"       // batches of signed receipts
	HeartbeatProtocol = "/tom/heartbeat/1.0.0" // hello, then beats
	GroupProtocol     = "/tom/group/1.0.0"     // member and hub
	HubProtocol       = "/tom/hub/1.0.0"       // the chain of hubs of a group
	BackupProtocol    = "/tom/backup/1.0.0"    // holders, senders and recipients
)

// KadPrefix is the prefix of the Kademlia protocol, whose id becomes
// "/tom/kad/1.0.0". Network.Protocol gives the prefix to use.
const KadPrefix = "/tom"

// PresenceTopic is the gossipsub topic for role presence. Network.Protocol
// gives the topic to use.
const PresenceTopic = "/tom/presence/1"

// GroupTopic returns the gossipsub topic of a group by its blinded name, which
// is lower-case hex. Network.Protocol gives the topic to use.
func GroupTopic(blinded string) string { return "/tom/group/" + blinded + "/1" }

// A Tag names the structure a signature is for, so that a signature given for
// one structure is worth nothing as another.
type Tag string

// The tag of every signed structure.
const (
	TagEnvelope        Tag = "tom-envelope-v1"
	TagBatch           Tag = "tom-batch-v1"
	TagReceipt         Tag = "tom-receipt-v1"
	TagPrekeys         Tag = "tom-prekeys-v1"
	TagPresence        Tag = "tom-presence-v1"
	TagStorage         Tag = "tom-storage-v1"
	TagAdmission       Tag = "tom-admission-v1"
	TagGroupCharter    Tag = "tom-group-charter-v1"
	TagGroupRecord     Tag = "tom-group-record-v1"
	TagGroupHead       Tag = "tom-group-head-v1"
	TagGroupHub        Tag = "tom-group-hub-v1"
	TagGroupBeat       Tag = "tom-group-beat-v1"
	TagGroupReport     Tag = "tom-group-report-v1"
	TagGroupAttach     Tag = "tom-group-attach-v1"
	TagGroupReceipt    Tag = "tom-group-receipt-v1"
	TagGroupInvite     Tag = "tom-group-invite-v1"
	TagGroupJoin       Tag = "tom-group-join-v1"
	TagGroupWithdrawal Tag = "tom-group-withdrawal-v1"
)
