package backup

import (
	"github.com/tom-protocol/tom/protocols"
)

// What is reckoned for an envelope beside its bytes, and for what stays of one.
const (
	copyCost      = 1024
	tombstoneCost = 512
)

// quota is the room in use, in bytes.
type quota struct {
	total, strangers int64
	recipient        account // all
	strange          account // of strangers, by recipient
	author, asker    account
}

// account is the room in use by node; nodes that use none are not in it.
type account map[protocols.Key]int64

func (a account) add(k protocols.Key, n int64) {
	if a[k] += n; a[k] <= 0 {
		delete(a, k)
	}
}

func newQuota() quota {
	return quota{recipient: account{}, strange: account{}, author: account{}, asker: account{}}
}

func (it *Item) cost() int64 { return int64(it.Size) + copyCost }

// fits says whether there is room for an envelope.
func (q *quota) fits(l *Limits, it *Item) bool {
	n := it.cost()
	switch {
	case q.total+n > l.Total, q.recipient[it.To]+n > l.PerRecipient,
		q.author[it.From]+n > l.PerAuthor, q.asker[it.Asker]+n > l.PerAsker:
		return false
	case !it.Admitted:
		return q.strangers+n <= l.Total/2 && q.strange[it.To]+n <= l.PerRecipient/2
	}
	return true
}

// charge takes n bytes for an envelope, or gives them back.
func (q *quota) charge(it *Item, n int64) {
	q.total += n
	q.recipient.add(it.To, n)
	q.author.add(it.From, n)
	q.asker.add(it.Asker, n)
	if !it.Admitted {
		q.strangers += n
		q.strange.add(it.To, n)
	}
}
