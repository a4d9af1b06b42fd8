package groups

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// keys are a room's chains of keys: what seals, what opens, and who was given
// what. The room's goroutine owns them.
type keys struct {
	r         *room
	own       *senderkey.Sending               // nil: none was begun
	grants    *grants                          // of the own chain to the others
	hub       protocols.Key                    // that they go by
	followed  time.Time                        // since when, if there was another before
	lost      time.Time                        // since when it cannot be given anything; zero: it can, as far as is known
	again     time.Time                        // when it is to be given something again; zero: at once
	moving    time.Time                        // when something came of what it was given last
	showBy    time.Time                        // when to see of whom nothing has; zero: never
	boxing    bool                             // boxes are made
	posting   bool                             // letters are posted
	postAgain time.Time                        // not before; zero: at once
	debts     []debt                           // chains before it that are still to be given, oldest first
	payBy     time.Time                        // when to see to the first; zero: never
	paying    bool                             // it is posted
	early     map[protocols.Key]wire.SenderKey // that came in boxes from those who are no members yet, as far as is known here
	ring      *senderkey.Ring
	waiting   map[wire.RecordName]*unopened
	requested map[lack]*member.Repeat     // keys that are asked for
	answered  map[protocols.Key]time.Time // when members were given the own chain again
	look      time.Time                   // when to see whether any has waited too long
	outNew    bool                        // the own chain, or who was given it, is another than on disk
	outTo     wire.Index                  // up to where the own chain on disk has given up its keys
	inBy      time.Time                   // when the others' chains are to be on disk as they are; zero: they are
	inNew     bool                        // there is one that is not there at all
	queue     []draft                     // what waits for keys to be given
}

// unopened is a message without key.
type unopened struct {
	record *wire.Record
	since  time.Time
}

// draft is a message to be written.
type draft struct {
	id          wire.RecordID // as the writer chose it; zero: a new one
	contentType string
	body        []byte
	done        func(wire.RecordID, error)
}

// maxWaiting bounds the messages without key.
const maxWaiting = 4096

// A chain on disk need not be what it is in memory. The own one there is some keys
// ahead, which nobody misses if a crash skips them; those of others a little
// behind: what the keys between open is kept there too, and is opened again at a
// start after a crash, which gives them up.
const (
	outAhead = 32
	inBehind = time.Second
)

func newKeys(r *room) *keys {
	return &keys{
		r: r, ring: senderkey.NewRing(), grants: newGrants(), early: make(map[protocols.Key]wire.SenderKey),
		waiting: make(map[wire.RecordName]*unopened), requested: make(map[lack]*member.Repeat),
		answered: make(map[protocols.Key]time.Time),
	}
}

// load reads the states of the last run.
func (k *keys) load() error {
	var out outRatchet
	b, err := k.r.s.cfg.Ratchets.Load(outName(k.r.id))
	if err == nil && b != nil {
		if err = decode(b, &out); err == nil {
			k.own, k.outTo = senderkey.Resume(out.Chain), out.Chain.Index
			for _, p := range out.Given {
				k.grants.set(p, given, time.Time{})
			}
			k.resume(out.Handed)
			k.debts = out.Debts
		}
	}
	if err != nil {
		return err
	}
	if b, err = k.r.s.cfg.Ratchets.Load(inName(k.r.id)); err != nil || b == nil {
		return err
	}
	return loadRing(k.ring, b)
}

// saveOut makes the own chain durable: nothing that it sealed may leave before.
func (k *keys) saveOut() error {
	if k.own == nil || !k.outNew && k.own.State().Index <= k.outTo {
		return nil
	}
	return k.writeOut(outAhead)
}

// writeOut writes the own chain as it is some keys ahead.
func (k *keys) writeOut(ahead int) error {
	out := outRatchet{Chain: k.own.Ahead(ahead)}
	k.outNew, k.outTo = false, out.Chain.Index
	for p, x := range k.grants.of {
		if x.step == given {
			out.Given = append(out.Given, p)
		}
	}
	out.Handed, out.Debts = k.outHanded(), k.debts
	b := encode(out)
	defer clear(b)
	return k.r.s.cfg.Ratchets.Save(outName(k.r.id), b)
}

// moved notes that others' chains have moved on.
func (k *keys) moved(now time.Time) {
	if k.inBy.IsZero() {
		k.inBy = now.Add(inBehind)
	}
}

// gained notes that there is another chain, which its owner gives only once.
func (k *keys) gained(now time.Time) {
	k.moved(now)
	k.inNew = true
}

// saveIn makes the others' chains durable, behind what they opened: at once if
// there are more of them, else in time.
func (k *keys) saveIn(now time.Time) error {
	wait := k.inBy.Sub(now) // too long if the clock went back
	if !k.inNew && (k.inBy.IsZero() || wait > 0 && wait <= inBehind) {
		return nil
	}
	return k.writeIn()
}

// writeIn writes the others' chains.
func (k *keys) writeIn() error {
	k.inBy, k.inNew = time.Time{}, false
	b := ringBytes(k.ring)
	defer clear(b)
	return k.r.s.cfg.Ratchets.Save(inName(k.r.id), b)
}

// end makes the chains on disk what they are in memory.
func (k *keys) end() error {
	var err error
	if k.own != nil && (k.outNew || k.own.State().Index != k.outTo) {
		err = k.writeOut(0)
	}
	if !k.inBy.IsZero() {
		err = errors.Join(err, k.writeIn())
	}
	return err
}

// know tells of the roster as it is now. Who is no member any more is forgotten.
func (k *keys) know(f *roster.Fold) {
	taken := k.ring.Know(f.Clone())
	if len(taken) > 0 {
		k.gained(k.r.s.cfg.Now())
	}
	if k.own != nil && k.grants.know(f, k.r.s.self) {
		k.outNew = true
	}
	k.welcome(f)
	k.knowEarly(f)
	k.retry(k.r.s.cfg.Now())
	if f.Member(k.r.s.self) && k.grants.lacking() == 0 {
		k.writeQueued(k.r.s.cfg.Now())
	}
}

// welcome has those who have come in be given the chain as it was before the first
// message that stands behind their join, or is on its way and will: its author did not
// know of them yet.
func (k *keys) welcome(f *roster.Fold) {
	for _, p := range k.grants.newcomers() {
		m, _ := f.Of(p)
		seq, _ := k.r.seat.Ledger().Log().Find(wire.RecordName{Author: p, ID: m.Admission})
		if chain, ok := k.grants.flying.behind(seq); ok {
			k.grants.made(p, k.bodyOf(senderkey.Resume(chain)))
		}
	}
}

// writeQueued writes what waited.
func (k *keys) writeQueued(now time.Time) {
	queue := k.queue
	k.queue = nil
	for _, d := range queue {
		k.write(now, d)
	}
}

// came takes a chain of another member, which is durable when the room has saved. One
// that is there is: each hub after another may pass it on.
func (k *keys) came(now time.Time, from protocols.Key, key wire.SenderKey) error {
	if k.ring.Has(from, key.Chain) {
		return nil
	}
	err := k.ring.Accept(from, key)
	if err != nil && !errors.Is(err, senderkey.ErrEarly) {
		return err
	}
	k.gained(now) // on disk when its sender hears that it came
	k.retry(now)
	return err
}

// posted takes a key that came by post, for another goroutine. It returns when the key
// is on disk.
func (r *room) posted(from protocols.Key, key wire.SenderKey) error {
	ctx, cancel := context.WithTimeout(context.Background(), giveTime)
	defer cancel()
	var err error
	gone := r.do(ctx, func(now time.Time) { err = r.keyCame(now, from, key) })
	switch {
	case gone != nil && r.s.room(r.id) == nil:
		return nil // no member any more
	case gone != nil:
		return gone // about to end: it comes again
	case errors.Is(err, senderkey.ErrEarly):
		return ErrBusy // comes again, when the roster may be known
	case errors.Is(err, senderkey.ErrOwner), errors.Is(err, senderkey.ErrBound):
		logger.Debugw("sender key refused", "group", r.id, "peer", from, "err", err)
		return nil
	}
	return err
}

// keyCame takes a key, and what comes with it. ErrBusy says that its owner is no member
// here, yet.
func (r *room) keyCame(now time.Time, from protocols.Key, key wire.SenderKey) error {
	if !r.seat.Ledger().Fold().Member(from) {
		return ErrBusy
	}
	err := r.keys.came(now, from, key)
	if r.adopt(from, &key); key.Head != nil {
		r.heardHead(now, from, key.Head)
	}
	return err
}

// due is when there is something to do about keys, if that is before.
func (k *keys) due(before time.Time) time.Time {
	look := k.look
	if len(k.waiting) == 0 {
		look = time.Time{}
	}
	for _, at := range []time.Time{look, k.inBy, k.showBy, k.again, k.postAgain, k.payBy} {
		if !at.IsZero() && at.Before(before) {
			before = at
		}
	}
	return before
}

// await finds the messages that wait for a key, at a start.
func (k *keys) await() {
	k.r.seat.Ledger().Log().All(k.awaitEntry)
	k.retry(k.r.s.cfg.Now())
}

// open opens a message that has come to stand in the log.
func (k *keys) open(now time.Time, rec *wire.Record) {
	if rec.Author == k.r.s.self || k.r.before(rec) {
		return
	}
	switch err := k.tryOpen(now, rec); {
	case err == nil:
		k.r.tellMessage(rec)
	case k.r.s.text(k.r.id, rec.Name()) != nil: // it was opened before the last end
	case !errors.Is(err, senderkey.ErrNoKey):
		k.never(rec, err)
	case len(k.waiting) < maxWaiting:
		if len(k.waiting) == 0 {
			k.look = now.Add(requestAfter)
		}
		k.waiting[rec.Name()] = &unopened{rec, now}
		k.r.waits(now, rec, true)
	}
}

// tryOpen opens a message if its key is here; senderkey.ErrNoKey says that it may
// come.
func (k *keys) tryOpen(now time.Time, rec *wire.Record) error {
	m, err := wire.ParseMessage(rec.Payload)
	if err != nil {
		return err // void, so nobody asks
	}
	plain, err := k.ring.Open(senderkey.Record{Group: k.r.id, ID: rec.ID, Author: rec.Author, Time: rec.Time}, m, now)
	if err == nil {
		k.moved(now)
		k.keep(rec, plain)
	}
	return err
}

// never tells that a message cannot be opened here.
func (k *keys) never(rec *wire.Record, err error) {
	logger.Debugw("message not opened", "group", k.r.id, "author", rec.Author, "err", err)
	k.r.tell(Event{What: NeverOpened, Peer: rec.Author, Record: rec.ID, Detail: err.Error()})
}

// keep puts a message's content with what is saved next.
func (k *keys) keep(rec *wire.Record, plain []byte) {
	row, err := k.r.s.textRow(k.r.id, rec.Name(), endOf(rec, k.r.last), plain)
	if err != nil {
		logger.Debugw("content not kept", "group", k.r.id, "err", err)
		return
	}
	k.r.puts = append(k.r.puts, row)
	k.r.changed = true
}

// endOf is when a record is over, by its author's clock, but at most a life from
// now.
func endOf(rec *wire.Record, now time.Time) time.Time {
	end := time.UnixMilli(int64(rec.Time)).Add(Life)
	if latest := now.Add(Life); end.After(latest) {
		return latest
	}
	return end
}

// retry opens what waited, in the log's order.
func (k *keys) retry(now time.Time) {
	if len(k.waiting) == 0 {
		return
	}
	log := k.r.seat.Ledger().Log()
	var due []wire.Seq
	for name := range k.waiting {
		if seq, ok := log.Find(name); ok {
			due = append(due, seq)
		}
	}
	slices.Sort(due)
	for _, seq := range due {
		e, _ := log.At(seq)
		err := k.tryOpen(now, e.Record)
		if errors.Is(err, senderkey.ErrNoKey) {
			continue
		}
		delete(k.waiting, e.Record.Name())
		k.r.waits(now, e.Record, false)
		if err != nil {
			k.never(e.Record, err)
			continue
		}
		k.r.tell(Event{What: Opened, Peer: e.Record.Author, Seq: seq, Record: e.Record.ID})
	}
}

// write seals a message and publishes it, once all members have its key.
func (k *keys) write(now time.Time, d draft) {
	if k.r.wrote(d.id) {
		d.done(d.id, nil)
		return
	}
	if len(k.queue) >= maxQueued {
		d.done(wire.RecordID{}, ErrBusy)
		return
	}
	fold := k.r.seat.Ledger().Fold()
	if !fold.Member(k.r.s.self) { // the log is on its way: a chain for its roster is worth nothing
		k.queue = append(k.queue, d)
		return
	}
	if k.own == nil || k.own.Worn(now, fold.Removal()) {
		if err := k.begin(now, fold); err != nil {
			d.done(wire.RecordID{}, err)
			return
		}
	}
	if k.grants.lacking() > 0 {
		k.queue = append(k.queue, d)
		return
	}
	k.seal(now, d)
}

func (k *keys) begin(now time.Time, f *roster.Fold) error {
	own, err := senderkey.Begin(rand.Reader, senderkey.Roster{Version: f.Version(), Hash: f.Hash()}, now)
	if err != nil {
		return err
	}
	k.owe(now)
	k.own, k.grants, k.outNew = own, newGrants(), true
	k.grants.know(f, k.r.s.self)
	k.showBy = time.Time{}
	return nil
}

func (k *keys) seal(now time.Time, d draft) {
	id := d.id
	switch {
	case id == (wire.RecordID{}):
		id = newRecordID(now)
	case k.r.wrote(id): // while this one waited
		d.done(id, nil)
		return
	case k.r.shares(id, d.done):
		return
	}
	name := wire.RecordName{Author: k.r.s.self, ID: id}
	content := message.Content{Type: d.contentType, Body: d.body}
	plain := content.Append(nil)
	at, chain := wire.Millis(now.UnixMilli()), k.own.State()
	m, err := k.own.Seal(senderkey.Record{Group: k.r.id, ID: id, Author: k.r.s.self, Time: at}, plain)
	if err != nil {
		d.done(id, err)
		return
	}
	row, err := k.r.s.textRow(k.r.id, name, now.Add(Life), plain)
	if err != nil {
		d.done(id, err)
		return
	}
	k.grants.sealed(name, chain)
	k.r.puts = append(k.r.puts, row)
	k.r.sealed = append(k.r.sealed, sealed{at: now, done: d.done, record: wire.Record{
		Group: k.r.id, ID: id, Kind: wire.KindMessage, Time: at, Payload: m.Append(nil),
	}})
}

// awaitEntry notes a message that was not opened before the last end.
func (k *keys) awaitEntry(e entry) {
	if e.Record.Kind == wire.KindMessage && k.r.seat.Ledger().Void(e.Place.Seq) == nil {
		k.open(k.r.s.cfg.Now(), e.Record)
	}
}
