package groups

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Rows of a group begin with its id; the byte behind says what they are.
const (
	rowPlace  = 'c' // a saved place
	rowHubs   = 'f' // hubs
	rowBase   = 'b' // a ledger.Base: the log begins behind it
	rowKept   = 'k' // and author and record: a member.Kept
	rowEntry  = 'l' // and the seq: an entry of the log
	rowText   = 't' // and author and record: a message's content, shredded at its end
	rowInvite = 'v' // an invitation that came and was not used
	rowWish   = 'j' // a wish: a join under way
)

func rowKey(g wire.GroupID, kind byte, rest ...[]byte) []byte {
	k := append(append(make([]byte, 0, 17+48), g[:]...), kind)
	for _, r := range rest {
		k = append(k, r...)
	}
	return k
}

func entryKey(g wire.GroupID, s wire.Seq) []byte {
	return binary.BigEndian.AppendUint64(rowKey(g, rowEntry), uint64(s))
}

func keptKey(g wire.GroupID, n wire.RecordName) []byte {
	return rowKey(g, rowKept, n.Author[:], n.ID[:])
}

func textKey(g wire.GroupID, n wire.RecordName) []byte {
	return rowKey(g, rowText, n.Author[:], n.ID[:])
}

// place is what a node knows of its membership itself.
type place struct {
	Charter       []byte
	Invite        []byte   // by which this node came; nil once the log was seen to be the one it speaks of
	Member        bool     // this node has been one, or is listed
	Secret        [32]byte // of the topic
	SecretVersion wire.RosterVersion
	SecretBy      protocols.Key // the admin it came from; zero: it came with the invite
	Cuts          cuts          // of the log
	Read          wire.Seq      // up to where a person has read
	Lister        protocols.Key // the admin that listed this node, which is not in the group; zero: it is, or was
	Since         time.Time     // same: when it took the seat
}

// hubs is failover.Durable as it goes to disk: branches as frames.
type hubs struct {
	Current, Previous []byte
	Withdrawn         []retreat
	Condemned         map[protocols.Key]time.Time
	Displaced         map[protocols.Key]time.Time
}

type retreat struct {
	Claim            wire.HubHash
	Withdrawal, Back []byte
}

// outRatchet is the own chain.
type outRatchet struct {
	Chain  senderkey.State
	Given  []protocols.Key
	Handed []handedKey // to members who have not shown yet that they have it
	Debts  []debt      // of chains before
}

// handedKey is a chain as the hub was given it for some members.
type handedKey struct {
	Body []byte
	To   []protocols.Key
}

// ringForm stands before the chains of the other members.
const ringForm = 0

func ringBytes(g *senderkey.Ring) []byte {
	return g.Append(append(make([]byte, 0, 1+g.KeptSize()), ringForm))
}

// loadRing also reads what was written before such chains had bytes of their own: it
// begins with how long the description of its type is.
func loadRing(g *senderkey.Ring, b []byte) error {
	if len(b) > 0 && b[0] == ringForm {
		return g.Load(b[1:])
	}
	var old struct {
		Chains map[protocols.Key][]senderkey.Receiving
	}
	err := decode(b, &old)
	for owner, list := range old.Chains {
		for _, c := range list {
			g.Restore(owner, c)
		}
	}
	return err
}

func encode(v any) []byte {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		panic(err) // the types are ours
	}
	return b.Bytes()
}

func decode(b []byte, v any) error { return gob.NewDecoder(bytes.NewReader(b)).Decode(v) }

func branchBytes(b *failover.Branch) []byte {
	if b == nil {
		return nil
	}
	f := b.Frame()
	return wire.AppendFrame(nil, &f)
}

func parseBranch(v wire.Verifier, b []byte) (*failover.Branch, error) {
	if len(b) == 0 {
		return nil, nil
	}
	f, err := wire.ParseHubFrame(v, b)
	if err != nil {
		return nil, err
	}
	h, ok := f.(*wire.HubRecordFrame)
	if !ok {
		return nil, errDamaged
	}
	return failover.ParseBranch(v, h)
}

var errDamaged = errors.New("a row that is not what it should be")

func hubsOf(d failover.Durable) hubs {
	h := hubs{Current: branchBytes(d.Current), Previous: branchBytes(d.Previous), Condemned: d.Condemned, Displaced: d.Displaced}
	for claim, r := range d.Withdrawn {
		h.Withdrawn = append(h.Withdrawn, retreat{Claim: claim, Withdrawal: r.Withdrawal, Back: branchBytes(r.Back)})
	}
	return h
}

func (h *hubs) durable(v wire.Verifier) (d failover.Durable, err error) {
	if d.Current, err = parseBranch(v, h.Current); err != nil {
		return d, err
	}
	if d.Current == nil {
		return d, errDamaged
	}
	if d.Previous, err = parseBranch(v, h.Previous); err != nil {
		return d, err
	}
	d.Condemned, d.Displaced, d.Withdrawn = h.Condemned, h.Displaced, make(map[wire.HubHash]*failover.Retreat)
	for _, r := range h.Withdrawn {
		back, err := parseBranch(v, r.Back)
		if err != nil {
			return d, err
		}
		d.Withdrawn[r.Claim] = &failover.Retreat{Withdrawal: r.Withdrawal, Back: back}
	}
	return d, nil
}

// spare are rows that need not be saved for themselves, the last word for each key.
// What a crash leaves of a record that has its place is published once more, and
// accepted where it stands.
type spare map[string][]byte // nil: to be deleted

// add takes what may wait.
func (s spare) add(g wire.GroupID, x seat.Save) {
	for _, k := range x.Keep {
		delete(s, string(keptKey(g, k.Name)))
	}
	for _, k := range x.Anew {
		s[string(keptKey(g, k.Name))] = keptRow(k)
	}
	for _, n := range x.Drop {
		s[string(keptKey(g, n))] = nil
	}
}

// take adds all of them to what is saved next.
func (s spare) take(puts []Row, deletes [][]byte) ([]Row, [][]byte) {
	for key, value := range s {
		if value == nil {
			deletes = append(deletes, []byte(key))
		} else {
			puts = append(puts, Row{Key: []byte(key), Value: value})
		}
	}
	clear(s)
	return puts, deletes
}

// appendSeatRows appends the rows of what a seat wants saved at once.
func appendSeatRows(puts []Row, g wire.GroupID, x seat.Save) (_ []Row, deletes [][]byte) {
	puts = slices.Grow(puts, len(x.Log.Put)+len(x.Keep))
	if x.Failover != nil {
		puts = append(puts, Row{Key: rowKey(g, rowHubs), Value: encode(hubsOf(*x.Failover))})
	}
	if x.Log.Base != nil {
		puts = append(puts, Row{Key: rowKey(g, rowBase), Value: encode(*x.Log.Base)})
	}
	for _, d := range x.Log.Drop {
		for s := d.From; s <= d.To; s++ {
			deletes = append(deletes, entryKey(g, s))
		}
	}
	puts = appendEntries(puts, g, x.Log.Put)
	for _, k := range x.Keep {
		puts = append(puts, Row{Key: keptKey(g, k.Name), Value: keptRow(k)})
	}
	return puts, deletes
}

// appendEntries appends the rows of entries: before each stands in which term it got its
// place, and by whom, which is mostly that of the one before.
func appendEntries(puts []Row, g wire.GroupID, list []entry) []Row {
	for i, e := range list {
		var head []byte
		if p := e.Place; i > 0 && p.Number == list[i-1].Place.Number && p.Primary == list[i-1].Place.Primary {
			head = puts[len(puts)-1].Head
		} else {
			head = append(binary.BigEndian.AppendUint64(nil, uint64(p.Number)), p.Primary[:]...)
		}
		puts = append(puts, Row{Key: entryKey(g, e.Place.Seq), Head: head, Value: e.Raw})
	}
	return puts
}

func parseEntryRow(key, v []byte) (seat.Stored, error) {
	if len(key) != 25 || len(v) < 40 {
		return seat.Stored{}, errDamaged
	}
	p := wire.Place{
		Number: wire.Number(binary.BigEndian.Uint64(v)), Primary: protocols.Key(v[8:40]),
		Seq: wire.Seq(binary.BigEndian.Uint64(key[17:])),
	}
	return seat.Stored{Place: p, Raw: v[40:]}, nil
}

// keptRow is a record that is kept besides the log: whether it is this node's own, how
// long it is, itself, and if it stood somewhere before, where.
func keptRow(k member.Kept) []byte {
	v := append(make([]byte, 0, 8+len(k.Record)), 0)
	if k.Own {
		v[0] = 1
	}
	v = append(binary.AppendUvarint(v, uint64(len(k.Record))), k.Record...)
	if k.Old != nil {
		v = append(v, encode(*k.Old)...)
	}
	return v
}

// parseKeptRow also reads what was written before such rows had bytes of their own: it
// begins with how long the description of its type is.
func parseKeptRow(key, v []byte) (k member.Kept, err error) {
	if len(v) > 0 && v[0] > 1 {
		err = decode(v, &k)
		return k, err
	}
	if len(key) != 17+len(k.Name.Author)+len(k.Name.ID) || len(v) < 2 {
		return k, errDamaged
	}
	n, head := binary.Uvarint(v[1:])
	rest := v[1+max(head, 0):]
	if head <= 0 || n > uint64(len(rest)) {
		return k, errDamaged
	}
	k.Name.Author, k.Name.ID = protocols.Key(key[17:49]), wire.RecordID(key[49:])
	k.Own, k.Record = v[0] == 1, rest[:n]
	if rest = rest[n:]; len(rest) > 0 {
		k.Old = new(wire.Old)
		err = decode(rest, k.Old)
	}
	return k, err
}

// textRow seals a message's content until the message's end.
func (s *Service) textRow(g wire.GroupID, n wire.RecordName, end time.Time, content []byte) (Row, error) {
	sealed, err := s.cfg.Shred.Shred(end, content)
	if err != nil {
		return Row{}, err
	}
	return Row{Key: textKey(g, n), Head: binary.BigEndian.AppendUint64(nil, uint64(end.UnixMilli())), Value: sealed}, nil
}

// text reads a message's content; nil if it is not here, or its time is over.
func (s *Service) text(g wire.GroupID, n wire.RecordName) []byte {
	v, ok, err := s.cfg.Rows.Get(textKey(g, n))
	if err != nil || !ok || len(v) < 8 {
		return nil
	}
	content, err := s.cfg.Shred.Unshred(time.UnixMilli(int64(binary.BigEndian.Uint64(v))), v[8:])
	if err != nil {
		return nil
	}
	return content
}

// sweepEvery is how often a room looks for contents whose time is over. They
// cannot be read any more; then their rows go too.
const sweepEvery = time.Hour

// sweep deletes the contents whose time is over, with the next save.
func (r *room) sweep(now time.Time) error {
	if now.Sub(r.swept) < sweepEvery {
		return nil
	}
	r.swept = now
	r.unsaved = r.unsaved || len(r.spare) > 0 // it has waited long enough
	for rec := range r.keys.waiting {
		if _, ok := r.seat.Ledger().Log().Find(rec); !ok {
			delete(r.keys.waiting, rec)
		}
	}
	r.keys.ring.Expire(now)
	return r.s.cfg.Rows.Scan(rowKey(r.id, rowText), func(key, v []byte) error {
		if len(v) >= 8 && int64(binary.BigEndian.Uint64(v)) < now.UnixMilli() {
			r.dels = append(r.dels, key)
		}
		return nil
	})
}

// stored is a group as it was found on disk.
type stored struct {
	charter *wire.Charter
	place   place
	disk    seat.Disk
}

// loadAll reads every group.
func (s *Service) loadAll() (list []stored, err error) {
	found := make(map[wire.GroupID]*stored)
	err = s.cfg.Rows.Scan(nil, func(key, value []byte) error {
		if len(key) < 17 {
			return errDamaged
		}
		id := wire.GroupID(key[:16])
		st := found[id]
		if st == nil {
			st = new(stored)
			found[id] = st
		}
		return s.loadRow(st, key, value)
	})
	for _, st := range found {
		if st.charter != nil { // else an invitation
			list = append(list, *st)
		}
	}
	return list, err
}

func (s *Service) loadRow(st *stored, key, value []byte) (err error) {
	switch key[16] {
	case rowPlace:
		if err = decode(value, &st.place); err == nil {
			st.charter, err = wire.ParseCharter(s.cfg.Verifier, st.place.Charter)
		}
	case rowHubs:
		var h hubs
		if err = decode(value, &h); err == nil {
			st.disk.Failover, err = h.durable(s.cfg.Verifier)
		}
	case rowBase:
		err = decode(value, &st.disk.Base)
	case rowKept:
		var k member.Kept
		k, err = parseKeptRow(key, value)
		st.disk.Kept = append(st.disk.Kept, k)
	case rowEntry:
		var e seat.Stored
		if e, err = parseEntryRow(key, value); err == nil {
			st.disk.Log = append(st.disk.Log, e)
		}
	}
	return err
}

// rowsOf returns the keys of all that is on disk of a group.
func (s *Service) rowsOf(g wire.GroupID) (keys [][]byte, err error) {
	err = s.cfg.Rows.Scan(g[:], func(key, _ []byte) error {
		keys = append(keys, key)
		return nil
	})
	return keys, err
}

func (s *Service) removeRatchets(g wire.GroupID) error {
	return errors.Join(s.cfg.Ratchets.Remove(outName(g)), s.cfg.Ratchets.Remove(inName(g)))
}

// erase deletes all that is on disk of a group, but for an invitation back into it.
func (s *Service) erase(g wire.GroupID) error {
	keys, err := s.rowsOf(g)
	keys = slices.DeleteFunc(keys, func(key []byte) bool { return bytes.Equal(key, rowKey(g, rowInvite)) })
	if err == nil {
		err = s.cfg.Rows.Apply(nil, keys)
	}
	return errors.Join(err, s.removeRatchets(g))
}

func outName(g wire.GroupID) string { return g.String() + "-out" }
func inName(g wire.GroupID) string  { return g.String() + "-in" }
