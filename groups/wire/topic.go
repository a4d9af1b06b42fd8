package wire

import "github.com/tinylib/msgp/msgp"

// TopicHead is message 1 of a group's topic: [1, head bin]. The head that the
// sender follows, past the hub.
type TopicHead struct{ Head []byte }

func (f *TopicHead) frameType() uint64              { return 1 }
func (f *TopicHead) count() int                     { return 1 }
func (f *TopicHead) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Head) }
func (f *TopicHead) readFields(d *decoder)          { f.Head = d.bin(MaxHead) }

// TopicHub is message 2 of a group's topic: [2, hub record bin].
type TopicHub struct{ Record []byte }

func (f *TopicHub) frameType() uint64              { return 2 }
func (f *TopicHub) count() int                     { return 1 }
func (f *TopicHub) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Record) }
func (f *TopicHub) readFields(d *decoder)          { f.Record = d.bin(MaxHubRecord) }
