package backup

import (
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/timers"
)

// Timing of a Keeper.
const (
	watchEvery  = 15 * time.Second       // between audits of the next holder
	visitEvery  = 4 * time.Minute        // between audits of those whom it is for others to watch
	hurryEvery  = 300 * time.Millisecond // between audits of what is in doubt
	missRetry   = time.Second            // after the first silence
	answerTime  = 5 * time.Second        // for any question
	storeTime   = 10 * time.Second       // for a store, which may be long
	turn        = 10 * time.Second       // for which each holder leaves copying to the one before it
	fresh       = 30 * time.Second       // for which a look for candidates holds good
	firstRetry  = 10 * time.Second       // after no candidate was left; doubles
	maxRetry    = 5 * time.Minute
	pushTurn    = time.Second      // for which each holder leaves pushing to the one before it
	pushAgain   = 15 * time.Second // until what has no receipt is pushed again; doubles
	seekSoon    = 5 * time.Second  // until a recipient is looked for, after something has changed
	seekFirst   = time.Minute      // until it is looked for again; doubles
	seekMax     = 30 * time.Minute
	doubtRetry  = time.Minute
	mayReturn   = time.Hour // for which a holder that went away counts to the most there may be
	maxMisses   = 2         // silences in a row that make a holder count as dead
	maxStores   = 64
	maxShares   = 2 * MaxHolders // other holders of an envelope that are remembered
	busyMillis  = 2_000
	quotaMillis = 10 * 60_000
)

// Limits says how much a node keeps for others. The zero value of a field means
// its default.
type Limits struct {
	Copies       int   // holders aimed at; 3
	Total        int64 // bytes, with overhead; 128 MiB. Strangers together get half
	PerRecipient int64 // bytes; an eighth of Total. Strangers together get half
	PerAuthor    int64 // bytes; an eighth of Total
	PerAsker     int64 // bytes that one node may bring, for whomever; half of Total
}

func (l Limits) withDefaults() Limits {
	if l.Copies == 0 {
		l.Copies = 3
	}
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Total, 128 << 20}, {&l.PerRecipient, l.Total / 8}, {&l.PerAuthor, l.Total / 8}, {&l.PerAsker, l.Total / 2}} {
		if *f.field == 0 {
			*f.field = max(f.value, 16<<20)
		}
	}
	return l
}

// Item is what a node knows of an envelope that it keeps or looks after.
type Item struct {
	Digest   envelope.Digest
	ID       envelope.ID
	From, To protocols.Key
	End      time.Time       // of this copy: see EndOf
	Size     int             // bytes encoded
	Admitted bool            // its author has the recipient's admission
	Asker    protocols.Key   // who brought it here
	Holders  []protocols.Key // who else is said to have it
}

// EndOf is when a copy that is stored now ends: neither a clock that is behind
// nor a creation in the future makes it live longer than its lifetime.
func EndOf(e *envelope.Envelope, now time.Time) time.Time {
	end := now.Add(time.Duration(e.Lifetime) * time.Second)
	if e.End().Before(end) {
		return e.End()
	}
	return end
}

// Ready is what a Keeper wants done.
type Ready struct {
	Ask     []Question        // to be sent; replies come back with Replied, failures with Unanswered
	Look    []protocols.Key   // recipients for whose mail candidates are wanted, with Candidates
	Push    []Push            // copies to send to their recipient, which is connected
	Seek    []protocols.Key   // recipients to try to connect to, for their mail is here
	Destroy []Destruction     // copies that have ended
	Forget  []envelope.Digest // tombstones that have ended
	Listed  []envelope.Digest // copies and own messages whose holders have changed; to be written down behind
	Placed  []envelope.Digest // own messages of which something is new: see Placement
	Ended   [][]byte          // receipts of the recipients of own messages
	Tell    []Tidings         // receipts to bring to authors, if they are connected
}

// Question is a frame for a peer. The Envelope of a *Store is still to be filled
// in with that of Digest, and the Nonce of an *Audit with random bytes.
type Question struct {
	N      Number
	To     protocols.Key
	Frame  Frame
	Digest envelope.Digest // of a *Store or *Audit
	ID     envelope.ID     // of that envelope
	Own    bool            // it is in this node's outbox
}

// Push names copies to send to their recipient, in order.
type Push struct {
	To      protocols.Key
	Digests []envelope.Digest
}

// Destruction names a copy that is to be destroyed, and what is to stay of it.
type Destruction struct {
	Digest  envelope.Digest
	Receipt []byte // to be kept until the copy's end; nil: nothing stays
}

// Tidings are a receipt for an author.
type Tidings struct {
	Author  protocols.Key
	Receipt []byte
}

// Keeper decides for one node what it keeps for others, and sees to it that
// enough holders have that and its own messages. It is not safe for concurrent
// use: one goroutine owns it, gives it input, takes its Ready and comes back at
// its Deadline.
type Keeper struct {
	me     protocols.Key
	limits Limits
	rand   *rand.Rand
	timers timers.Set
	ready  Ready

	byDigest map[envelope.Digest]*entry
	byName   map[name]*entry
	mails    map[protocols.Key]*mail
	up       map[protocols.Key]struct{} // who is connected
	fellows  map[protocols.Key]*fellow
	asked    map[Number]*asked
	last     Number
	quota    quota
	distrust distrust
	past     past
	here     Place // this node's own

	queue   []*entry // that want to be stored with somebody, and wait for their turn
	stores  int      // stores that are not answered
	doubt   bool
	leaving bool
}

// name is how receipts name an envelope.
type name struct {
	from protocols.Key
	id   envelope.ID
}

// NewKeeper makes the keeper of the node me; the seed spreads what it does.
func NewKeeper(me protocols.Key, l Limits, seed uint64) *Keeper {
	return &Keeper{
		me:       me,
		limits:   l.withDefaults(),
		rand:     rand.New(rand.NewPCG(seed, 1)),
		byDigest: make(map[envelope.Digest]*entry),
		byName:   make(map[name]*entry),
		mails:    make(map[protocols.Key]*mail),
		up:       make(map[protocols.Key]struct{}),
		fellows:  make(map[protocols.Key]*fellow),
		asked:    make(map[Number]*asked),
		last:     Number(seed >> 33),
		quota:    newQuota(),
		distrust: make(distrust),
		past:     newPast(),
	}
}

// Deadline is when Tick wants to be called next, zero for never.
func (k *Keeper) Deadline() time.Time { return k.timers.Next() }

// Tick does what has become due.
func (k *Keeper) Tick(now time.Time) { k.timers.Run(now) }

// Doubt says whether the time given may be wrong by hours. While it is in doubt,
// nothing ends but by a receipt.
func (k *Keeper) Doubt(inDoubt bool) { k.doubt = inDoubt }

// Ready hands over what the inputs since the last call led to.
func (k *Keeper) Ready() Ready {
	r := k.ready
	k.ready = Ready{}
	return r
}

// backoff doubles from first with every failure, up to maxRetry, and spreads by
// a quarter either way.
func (k *Keeper) backoff(failures int, first time.Duration) time.Duration {
	d := maxRetry
	if failures = max(failures, 1); failures <= 12 {
		d = min(first<<(failures-1), maxRetry)
	}
	return k.spread(d)
}

func (k *Keeper) spread(d time.Duration) time.Duration {
	return d - d/4 + time.Duration(k.rand.Int64N(int64(d/2)+1))
}

func entryOf(r *ack.Receipt, i int) name { return name{r.To, r.Entries[i].ID} }
