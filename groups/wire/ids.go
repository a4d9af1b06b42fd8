package wire

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// GroupID names a group: see GroupOf.
type GroupID [16]byte

// RecordID names a record together with its author: a UUIDv7.
type RecordID [16]byte

// ChainID names a chain of sender keys together with its owner.
type ChainID [16]byte

// Number counts the terms of a group from 1. Rival terms may share it.
type Number uint64

// Version counts the changes of the hub chain within a term from 1.
type Version uint64

// Counter counts the beats of a primary within its term.
type Counter uint64

// Seq is a place in the log, from 1, counting on over terms.
type Seq uint64

// RosterVersion counts the effective roster records of a group.
type RosterVersion uint64

// Index counts the messages of a chain from 0.
type Index uint64

// Millis is a time in milliseconds since the epoch.
type Millis uint64

// MaxMillis is the largest time that a structure may bear.
const MaxMillis Millis = 1<<48 - 1

// HubHash is the hash of a hub record, or the charter's for the first one's link.
type HubHash [32]byte

// LogHash is the hash of a log up to a place.
type LogHash [32]byte

// RosterHash is the hash of a roster.
type RosterHash [32]byte

// String returns the id in hex.
func (id GroupID) String() string { return hex.EncodeToString(id[:]) }

// String returns the id in hex.
func (id RecordID) String() string { return hex.EncodeToString(id[:]) }

// String returns the first half of the hash in hex, for logs.
func (h HubHash) String() string { return hex.EncodeToString(h[:8]) }

// String returns the first half of the hash in hex, for logs.
func (h LogHash) String() string { return hex.EncodeToString(h[:8]) }

// Term is the time of one hub: its number and the record that opened it.
type Term struct {
	Number Number
	Opened HubHash
}

// Place is where in the log an entry stands.
type Place struct {
	Number  Number
	Primary protocols.Key
	Seq     Seq
}

// appendFields appends the three fields without a header.
func (p Place) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint64(dst, uint64(p.Number))
	dst = msgp.AppendBytes(dst, p.Primary[:])
	return msgp.AppendUint64(dst, uint64(p.Seq))
}

func (p *Place) readFields(d *decoder) {
	p.Number = Number(d.uint())
	p.Primary = d.key()
	p.Seq = Seq(d.uint())
}

// The first words of the group's hashes.
const (
	groupLabel  = "tom-group-v1"
	logLabel    = "tom-group-log-v1"
	rosterLabel = "tom-group-roster-v1"
	topicLabel  = "tom-group-topic"
)

// GroupOf returns the id of the group with an exact charter: the first 16 bytes
// of SHA-256("tom-group-v1" ‖ charter, its signature included).
func GroupOf(charter []byte) GroupID {
	h := sha256.Sum256(append([]byte(groupLabel), charter...))
	return GroupID(h[:16])
}

// Next returns the log's hash behind an entry that stands at p: SHA-256(
// "tom-group-log-v1" ‖ the hash before ‖ [number, primary, seq] ‖
// SHA-256(entry)).
func (h LogHash) Next(p Place, entry []byte) LogHash {
	return h.NextSum(p, sha256.Sum256(entry))
}

// NextSum is Next for an entry of which only the SHA-256 is at hand.
func (h LogHash) NextSum(p Place, entry [32]byte) LogHash {
	b := make([]byte, 0, len(logLabel)+2*32+60)
	b = append(append(b, logLabel...), h[:]...)
	b = msgp.AppendArrayHeader(b, 3)
	b = p.appendFields(b)
	return sha256.Sum256(append(b, entry[:]...))
}

// Rank orders nodes where a hub is to be picked or rivals to be compared: the
// lowest comes first. It is SHA-256([group, number, node]), so nobody can grind
// a key that is first in every term.
func Rank(g GroupID, n Number, node protocols.Key) [32]byte {
	b := msgp.AppendArrayHeader(make([]byte, 0, 80), 3)
	b = msgp.AppendBytes(b, g[:])
	b = msgp.AppendUint64(b, uint64(n))
	return sha256.Sum256(msgp.AppendBytes(b, node[:]))
}

// TopicName returns the blinded name of a group's topic, lower-case hex of
// SHA-256("tom-group-topic" ‖ group ‖ secret).
func TopicName(g GroupID, secret [32]byte) string {
	b := append([]byte(topicLabel), g[:]...)
	h := sha256.Sum256(append(b, secret[:]...))
	return hex.EncodeToString(h[:])
}
