package store

import (
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// The first byte of a row's key says which table it is in.
const (
	tableOutgoing  = 'o'
	tableEnvelope  = 'e'
	tableStatus    = 's'
	tableInbox     = 'i'
	tableRead      = 'r'
	tableWindow    = 'w'
	tableEvents    = 'v'
	tableEnds      = 'x'
	tableReceipts  = 'p'
	tableContacts  = 'c'
	tableWritten   = 't'
	tablePrekeys   = 'k'
	tableAdmission = 'a'
	tableStranger  = 'b'
	tableMeta      = 'm'
	tableCounters  = 'n'
	tableKept      = 'h'
	tableHolders   = 'l'
	tableEnded     = 'g'
	tableGroups    = 'q'
	tableSaid      = 'y'
)

// A minute is the time in minutes since the epoch, the grain in which rows end.
type minute uint32

// minuteOf is the minute in which t falls.
func minuteOf(t time.Time) minute { return minute(millis(t) / 60_000) }

func idKey(table byte, id envelope.ID) []byte {
	return append([]byte{table}, id[:]...)
}

func peerKey(table byte, k protocols.Key) []byte {
	return append([]byte{table}, k[:]...)
}

func numberKey(table byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{table}, n)
}

func cursorKey(table byte, c Cursor) []byte { return numberKey(table, uint64(c)) }

func cursorOf(key []byte) Cursor { return Cursor(binary.BigEndian.Uint64(key[1:])) }

func windowKey(from protocols.Key, id envelope.ID) []byte {
	return append(peerKey(tableWindow, from), id[:]...)
}

func endsKey(m minute, serial uint64) []byte {
	k := binary.BigEndian.AppendUint32([]byte{tableEnds}, uint32(m))
	return binary.BigEndian.AppendUint64(k, serial)
}

func metaKey(name string) []byte { return append([]byte{tableMeta}, name...) }

// table returns the bounds of all keys of a table.
func table(t byte) (from, to []byte) { return []byte{t}, []byte{t + 1} }
