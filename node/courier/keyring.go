package courier

import (
	"bytes"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// maxKeys is how many peers' prekey records are kept in memory; the store
// keeps more.
const maxKeys = 4096

// keyring knows the newest prekey record of each peer. In memory are those of
// whom something is sealed to; most peers only pass by.
type keyring struct {
	store   *store.Store
	network protocols.Network
	now     func() time.Time

	mu      sync.Mutex
	records map[protocols.Key]*prekeys.Record // nil: looked for and not there; at most maxKeys
}

func newKeyring(s *store.Store, n protocols.Network, now func() time.Time) *keyring {
	return &keyring{store: s, network: n, now: now, records: make(map[protocols.Key]*prekeys.Record)}
}

// choose picks the key to seal to a peer with; ok is false if no record of it
// is at hand that is good now.
func (k *keyring) choose(p protocols.Key, now time.Time) (to envelope.Recipient, ok bool) {
	r := k.record(p, now)
	if r == nil {
		return envelope.Recipient{}, false
	}
	return r.Choose(now)
}

func (k *keyring) record(p protocols.Key, now time.Time) *prekeys.Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lookUp(p, now)
}

// lookUp needs mu.
func (k *keyring) lookUp(p protocols.Key, now time.Time) *prekeys.Record {
	if r, ok := k.records[p]; ok {
		return r
	}
	found := k.stored(p, now)
	k.put(p, found)
	return found
}

// stored is the record that the store has of p, nil if that is none.
func (k *keyring) stored(p protocols.Key, now time.Time) *prekeys.Record {
	raw, ok := k.store.Prekeys(p)
	if !ok {
		return nil
	}
	r, err := prekeys.Parse(k.network, raw, now)
	if err != nil || r.Node != p {
		return nil
	}
	return r
}

// learn takes in records, each of which claims to be a peer's. It returns the peers of
// which one is good, and newer than what was known.
func (k *keyring) learn(told map[protocols.Key][]byte) (news []protocols.Key) {
	var of []protocols.Key
	var list [][]byte
	for p, raw := range told {
		known, ok := k.store.Prekeys(p)
		if len(raw) > 0 && !(ok && bytes.Equal(known, raw)) { // as a neighbour says each time it comes
			of, list = append(of, p), append(list, raw)
		}
	}
	if len(list) == 0 {
		return nil
	}
	now := k.now()
	for i, r := range prekeys.ParseAll(k.network, list, now) {
		if r != nil && r.Node == of[i] && k.renew(r, now) {
			news = append(news, r.Node)
		}
	}
	return news
}

// renew keeps a record if it is newer than what was known.
func (k *keyring) renew(r *prekeys.Record, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, inMemory := k.records[r.Node]
	if !inMemory {
		old = k.stored(r.Node, now)
	}
	if !r.Newer(old) {
		return false
	}
	if inMemory {
		k.records[r.Node] = r
	}
	k.store.SavePrekeys(r.Node, r.Bytes())
	return true
}

// put remembers a record; a full ring forgets any other.
func (k *keyring) put(p protocols.Key, r *prekeys.Record) {
	if _, ok := k.records[p]; !ok && len(k.records) >= maxKeys {
		for other := range k.records {
			delete(k.records, other)
			break
		}
	}
	k.records[p] = r
}

// Forget drops what was derived from destroyed prekeys. If this node's prekey
// record has changed, neighbours are sent the new one beside their next
// receipts.
func (c *Courier) Forget(destroyed []envelope.PrekeyID, changed bool) {
	if len(destroyed) > 0 {
		c.opener.Forget(destroyed...)
	}
	if changed {
		c.receipts.renew.Store(true)
	}
}
