package seat

import "github.com/tom-protocol/tom/groups/failover"

// Durable returns what failover has to find again, without the log.
func (s *Seat) Durable() failover.Durable { return s.failover.Durable() }

// Attached says whether a member has attached to the hub on this node.
func (s *Seat) Attached(k [32]byte) bool { return s.failover.Attached(k) }
