package links

import (
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tom-protocol/tom/protocols"
)

// kind is one of the protocols that links speaks.
type kind uint8

const (
	envelopes kind = iota
	acks
	heartbeats
	backups
	groups
	hubs
	kinds // how many there are
)

var kindNames = [kinds]string{"envelope", "ack", "heartbeat", "backup", "group", "hub"}

// String returns the kind's name in metrics.
func (k kind) String() string { return kindNames[k] }

// service is the name under which the resource manager accounts for k.
func (k kind) service() string { return "tom." + k.String() }

// protocolIDs returns the ids that the network's peers use.
func protocolIDs(n protocols.Network) [kinds]protocol.ID {
	return [kinds]protocol.ID{
		envelopes:  protocol.ID(n.Protocol(protocols.EnvelopeProtocol)),
		acks:       protocol.ID(n.Protocol(protocols.AckProtocol)),
		heartbeats: protocol.ID(n.Protocol(protocols.HeartbeatProtocol)),
		backups:    protocol.ID(n.Protocol(protocols.BackupProtocol)),
		groups:     protocol.ID(n.Protocol(protocols.GroupProtocol)),
		hubs:       protocol.ID(n.Protocol(protocols.HubProtocol)),
	}
}
