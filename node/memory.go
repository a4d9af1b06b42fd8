package node

import (
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/stream"
)

// memory is how much of it the parts may use. What is zero is left to the part.
type memory struct {
	rows   kv.Options
	line   stream.Limits // of each stream
	outbox int64         // bytes of messages that wait, each of which has its state in memory
}

// memory follows Config.LowMemory; the host has its own.
func (s *settings) memory() memory {
	if !s.LowMemory {
		return memory{outbox: 64 << 20}
	}
	return memory{
		rows:   kv.Options{Cache: 1 << 20, Memtable: 4 << 20, OpenFiles: 24},
		line:   stream.Limits{QueueFrames: 1024, QueueBytes: 1 << 20},
		outbox: 16 << 20,
	}
}
