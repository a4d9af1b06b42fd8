package groups

import (
	"bytes"
	"crypto/rand"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// After a kick the topic gets another secret, so that who was kicked does not find
// it any more. The admin who kicked makes it, and with it begins a new chain, in
// whose envelopes it goes to all who are left.

// renew makes a new secret of the topic after a kick of this node's.
func (r *room) renew(now time.Time, rec *wire.Record) {
	if rec.Kind != wire.KindKick || rec.Author != r.s.self {
		return
	}
	fold := r.seat.Ledger().Fold()
	rand.Read(r.place.Secret[:])
	r.place.SecretVersion, r.place.SecretBy, r.unsaved = fold.Version(), r.s.self, true
	if err := r.keys.begin(now, fold); err != nil {
		logger.Errorw("no chain begun", "group", r.id, "err", err)
	}
}

// adopt takes the secret of the topic out of an admin's envelope: the one of the
// highest roster version, and of two the more senior admin's.
func (r *room) adopt(from protocols.Key, k *wire.SenderKey) {
	fold := r.seat.Ledger().Fold()
	if !fold.Admin(from) || k.SecretVersion > fold.Version() || k.Secret == r.place.Secret {
		return
	}
	if k.SecretVersion < r.place.SecretVersion || k.SecretVersion == r.place.SecretVersion && !r.senior(from, r.place.SecretBy) {
		return
	}
	r.place.Secret, r.place.SecretVersion, r.place.SecretBy, r.unsaved = k.Secret, k.SecretVersion, from, true
}

// heardHead takes the head that came with a member's chain. When many begin to write
// at once most of them follow the same.
func (r *room) heardHead(now time.Time, from protocols.Key, head []byte) {
	if slices.ContainsFunc(r.heads, func(b []byte) bool { return bytes.Equal(b, head) }) {
		return
	}
	if err := r.seat.HearTopic(now, &wire.TopicHead{Head: head}); err != nil {
		r.forged(now, from, err)
		return
	}
	if r.heads = append(r.heads, bytes.Clone(head)); len(r.heads) > maxHeads {
		r.heads = r.heads[1:]
	}
}

// maxHeads is how many heads that came with chains are remembered.
const maxHeads = 4

// senior says whether a member is senior to another; all are to one who is none.
func (r *room) senior(a, b protocols.Key) bool {
	fold := r.seat.Ledger().Fold()
	at, _ := fold.Seniority(a)
	than, ok := fold.Seniority(b)
	return !ok || at < than
}
