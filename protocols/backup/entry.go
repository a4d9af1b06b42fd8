package backup

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/timers"
)

// condition is how an envelope stands with this node.
type condition uint8

const (
	arriving condition = iota // on its way to the disk
	held                      // safely there
	own                       // this node is its author
	gone                      // its recipient has signed; the receipt stays
)

// entry is an envelope that this node keeps, looks after, or has let go of.
type entry struct {
	Item
	is      condition
	rank    uint64 // of this node among the holders
	since   time.Time
	receipt []byte // gone: as the recipient signed it

	holders []share // others that have it
	ending  timers.Timer

	// Of making copies.
	duty     timers.Timer    // when this node is to see whether there are enough
	refused  []protocols.Key // who did not take it in this round
	declined []protocols.Key // the newest of those who ever did not, maxShares at most
	asking   []protocols.Key // who is being asked to store it
	rounds   int             // in a row that ended without enough holders
	left     int             // that lived when the newest of them ended
	queued   bool
	looking  bool            // waits for candidates
	placed   bool            // own: there were enough holders once
	told     []protocols.Key // who could be relied upon when the others were told who the holders are

	pushed time.Time // when its recipient was last sent it
}

// share is what this node knows of another holder of one envelope.
type share struct {
	fellow *fellow
	at     int       // place of the entry in the fellow's list
	rank   uint64    // among the holders
	claim  bool      // nobody but itself says that it has it, or only the last run does
	proved bool      // it has signed for it, or passed an audit
	failed bool      // it was audited and did not have it, or has let go of it
	end    time.Time // until when it has promised to keep it, if it has signed to this node
}

// counts says that the holder may be relied upon.
func (s *share) counts() bool {
	return !s.failed && (s.proved || !s.claim) && !s.fellow.dead()
}

// prove notes that the holder has shown that it has the envelope.
func (s *share) prove() {
	s.proved, s.failed = true, false
	s.setClaim(false)
}

// lose notes that the holder does not have the envelope.
func (s *share) lose() { s.proved, s.failed = false, true }

// setClaim notes whether it is still to be shown at all that the holder has it.
func (s *share) setClaim(claim bool) {
	switch {
	case claim && !s.claim:
		s.fellow.claims++
	case !claim && s.claim:
		s.fellow.claims--
	}
	s.claim = claim
}

// live is how many holders may be relied upon, this node included.
func (k *Keeper) live(e *entry) int {
	n := 0
	if e.is == held && !k.leaving {
		n = 1
	}
	for i := range e.holders {
		if e.holders[i].counts() {
			n++
		}
	}
	return n
}

// before is how many holders that may be relied upon come before this node by
// rank. An author comes last.
func (k *Keeper) before(e *entry) int {
	n := 0
	for i := range e.holders {
		s := &e.holders[i]
		if s.counts() && (e.is == own || s.rank > e.rank) {
			n++
		}
	}
	return n
}

// next is the holder that this node is to watch: of those that may be relied
// upon the next by rank, in a ring. An author watches none closely.
func (e *entry) next() *share {
	var next, first *share
	for i := range e.holders {
		s := &e.holders[i]
		if !s.counts() {
			continue
		}
		if first == nil || s.rank > first.rank {
			first = s
		}
		if s.rank < e.rank && (next == nil || s.rank > next.rank) {
			next = s
		}
	}
	if next == nil {
		next = first
	}
	return next
}

func (e *entry) share(p protocols.Key) *share {
	for i := range e.holders {
		if e.holders[i].fellow.key == p {
			return &e.holders[i]
		}
	}
	return nil
}

// mayKnow says that a peer may be told about the envelope: its author, or
// somebody this node knows as a holder.
func (e *entry) mayKnow(p protocols.Key) bool {
	return p == e.From || e.share(p) != nil || slices.Contains(e.asking, p)
}

// many says that an envelope has as many holders as this node may know of,
// with those that were there a short while ago and may come back. It is less
// than MaxHolders, for nodes that cannot reach each other make copies of which
// the others do not know.
func (k *Keeper) many(now time.Time, e *entry) bool {
	n := 1
	for i := range e.holders {
		s := &e.holders[i]
		if !s.failed && (!s.fellow.dead() || now.Sub(s.fellow.died) < mayReturn) {
			n++
		}
	}
	return n >= MaxHolders-3
}

// addHolder makes a peer a holder of the envelope, in place of one that is dead
// where there are too many.
func (k *Keeper) addHolder(now time.Time, e *entry, p protocols.Key) *share {
	if s := e.share(p); s != nil || p == k.me || p == e.To || p == e.From && e.is != own {
		return s
	}
	if len(e.holders) >= maxShares {
		i := slices.IndexFunc(e.holders, func(s share) bool { return !s.counts() })
		if i < 0 {
			return nil
		}
		k.removeHolder(e, i)
	}
	f := k.fellow(now, p)
	e.holders = append(e.holders, share{fellow: f, at: len(f.entries), rank: Rank(e.To, p)})
	f.entries = append(f.entries, e)
	k.attend(now, f, e)
	return &e.holders[len(e.holders)-1]
}

// removeHolder forgets the i-th holder of the envelope.
func (k *Keeper) removeHolder(e *entry, i int) {
	s := e.holders[i]
	s.setClaim(false)
	f, last := s.fellow, len(s.fellow.entries)-1
	if moved := f.entries[last]; moved != e {
		f.entries[s.at] = moved
		moved.share(f.key).at = s.at
	}
	f.entries[last] = nil
	f.entries = f.entries[:last]
	e.holders = slices.Delete(e.holders, i, i+1)
	k.forgetIdle(f)
}

func (k *Keeper) removeHolders(e *entry) {
	for len(e.holders) > 0 {
		k.removeHolder(e, len(e.holders)-1)
	}
}

// list is who the holders are, this node first if it is one, the most reliable
// before the others, at most MaxHolders.
func (k *Keeper) list(e *entry) []protocols.Key {
	keys := k.living(e)
	for i := range e.holders {
		if s := &e.holders[i]; !s.counts() && !s.failed {
			keys = append(keys, s.fellow.key)
		}
	}
	return keys[:min(len(keys), MaxHolders)]
}

// living are those on the list who may be relied upon, however many.
func (k *Keeper) living(e *entry) (keys []protocols.Key) {
	if e.is == held && !k.leaving {
		keys = append(keys, k.me)
	}
	for i := range e.holders {
		if s := &e.holders[i]; s.counts() {
			keys = append(keys, s.fellow.key)
		}
	}
	return keys
}

// mail is all that this node keeps or looks after for one recipient.
type mail struct {
	to      protocols.Key
	entries []*entry // in the order in which they came

	up     bool // the recipient is connected
	push   timers.Timer
	pushes int
	seek   timers.Timer
	seeks  int

	candidates []Candidate // sorted
	lookedAt   time.Time
	looking    bool
}

func (k *Keeper) mail(to protocols.Key) *mail {
	m, ok := k.mails[to]
	if !ok {
		m = &mail{to: to}
		_, m.up = k.up[to]
		m.push.Fire = func(now time.Time) { k.pushMail(now, m) }
		m.seek.Fire = func(now time.Time) { k.seek(now, m) }
		k.mails[to] = m
	}
	return m
}

// enter takes an envelope into the books.
func (k *Keeper) enter(now time.Time, it Item, is condition) *entry {
	e := &entry{Item: it, is: is, since: now, rank: Rank(it.To, k.me)}
	e.Holders = nil
	e.ending.Fire = func(now time.Time) { k.end(now, e) }
	e.duty.Fire = func(now time.Time) { k.provide(now, e) }
	k.timers.Arm(&e.ending, it.End)
	k.byDigest[it.Digest] = e
	k.byName[name{it.From, it.ID}] = e
	m := k.mail(it.To)
	m.entries = append(m.entries, e)
	return e
}

// leaveMail takes an envelope out of its recipient's mail.
func (k *Keeper) leaveMail(e *entry) {
	m := k.mails[e.To]
	if m == nil {
		return
	}
	if i := slices.Index(m.entries, e); i >= 0 {
		m.entries = slices.Delete(m.entries, i, i+1)
	}
	if len(m.entries) == 0 {
		k.timers.Stop(&m.push)
		k.timers.Stop(&m.seek)
		delete(k.mails, e.To)
	}
}

// strike takes an envelope out of the books.
func (k *Keeper) strike(e *entry) {
	k.rest(e)
	k.timers.Stop(&e.ending)
	delete(k.byDigest, e.Digest)
	if n := (name{e.From, e.ID}); k.byName[n] == e {
		delete(k.byName, n)
	}
}

// rest ends all activity around an envelope.
func (k *Keeper) rest(e *entry) {
	k.timers.Stop(&e.duty)
	k.removeHolders(e)
	k.leaveMail(e)
	e.looking = false
}
