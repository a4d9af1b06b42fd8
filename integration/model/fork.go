package model

import (
	"github.com/tom-protocol/tom/groups/wire"
)

// Fork lets a hub show the victim another log than all others: records of its
// own have another text there. The heads are signed accordingly.
func (w *World) Fork(hub, victim *Node) {
	w.lying = hub
	shown := make(map[wire.Seq]wire.LogHash) // what the victim was shown
	w.fork = func(from, to *Node, f wire.Frame) wire.Frame {
		page, ok := f.(*wire.Records)
		if !ok || from != hub || to != victim {
			return f
		}
		return w.forkedPage(hub, page, shown)
	}
}

func (w *World) forkedPage(hub *Node, page *wire.Records, shown map[wire.Seq]wire.LogHash) wire.Frame {
	forked := *page
	if h, ok := shown[page.First-1]; ok {
		forked.Before = h
	}
	forked.Entries = nil
	hash, seq, n := forked.Before, page.First, 0
	for _, run := range page.Runs {
		for range run.Entries {
			raw := w.otherText(hub, page.Entries[n])
			forked.Entries = append(forked.Entries, raw)
			hash = hash.Next(wire.Place{Number: run.Number, Primary: run.Primary, Seq: seq}, raw)
			shown[seq] = hash
			seq, n = seq+1, n+1
		}
	}
	forked.Head = wire.Head{Group: w.charter.Group(), Term: hub.Seat.Branch().Term(), Seq: seq - 1, Log: hash}.Sign(signer{hub.Key})
	return &forked
}

// otherText is the entry, but that a message of the hub's own says another thing.
func (w *World) otherText(hub *Node, raw []byte) []byte {
	e, err := wire.ParseEntry(raw)
	check(err)
	if e.Record.Author != hub.Key || e.Record.Kind != wire.KindMessage {
		return raw
	}
	r := *e.Record
	m, err := wire.ParseMessage(r.Payload)
	check(err)
	m.Ciphertext = []byte("another text")
	r.Payload = m.Append(nil)
	b := wire.SignRecords(signer{hub.Key}, []wire.Record{r})[0]
	parsed, err := wire.ParseRecord(b)
	check(err)
	return (&wire.Entry{Record: parsed, Old: e.Old}).Append(nil)
}
