package discovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"path"
	"strings"
	"sync"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Bounds of what a node keeps in the DHT for others. What is nearest to itself
// stays: for that others come to it.
const (
	maxPrekeyRecords    = 2048 // of about half a kilobyte
	maxProvided         = 2048 // things that somebody provides
	maxProviders        = 256  // of each
	maxProvidedByOne    = 512  // things that one peer provides here
	maxProviderPeers    = 8192 // records of providers, all together
	providersFolder     = "/providers"
	maxStoredValueBytes = 4096 // a prekey record in its wrapping is far shorter
)

// dhtStore is the datastore of the DHT: in memory, and bounded. It never fails:
// what is too much is not kept.
type dhtStore struct {
	self    [sha256.Size]byte // our place in the key space
	dropped func(kind string)

	mu      sync.Mutex
	folders map[string]*dhtFolder // by all of the key but its last part
	byPeer  map[string]int        // things that each provides
	total   int                   // records of providers
}

// dhtFolder holds the providers of one thing, or all records of a name space.
type dhtFolder struct {
	far     distance
	entries map[string]dhtEntry // by the last part of the key
}

type dhtEntry struct {
	far   distance
	value []byte
}

// distance is how far a key is from our own place in the key space.
type distance [sha256.Size]byte

func (d distance) beyond(other distance) bool { return bytes.Compare(d[:], other[:]) > 0 }

func newDHTStore(self peer.ID, dropped func(kind string)) *dhtStore {
	return &dhtStore{
		self: sha256.Sum256([]byte(self)), dropped: dropped,
		folders: make(map[string]*dhtFolder), byPeer: make(map[string]int),
	}
}

func cutKey(k ds.Key) (folder, name string) {
	folder, name = path.Split(k.String())
	return strings.TrimSuffix(folder, "/"), name
}

// ofProviders says that a folder holds the providers of one thing.
func ofProviders(folder string) bool { return strings.HasPrefix(folder, providersFolder+"/") }

// Put implements ds.Datastore.
func (s *dhtStore) Put(_ context.Context, k ds.Key, value []byte) error {
	if len(value) > maxStoredValueBytes {
		s.dropped("too long")
		return nil
	}
	folder, name := cutKey(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, there := s.entry(folder, name)
	if !there {
		if e.far = s.distance(name); !s.room(folder, name, e.far) {
			return nil
		}
	}
	e.value = append([]byte(nil), value...)
	if s.folders[folder] == nil {
		s.folders[folder] = &dhtFolder{far: s.distance(path.Base(folder)), entries: make(map[string]dhtEntry)}
	}
	s.folders[folder].entries[name] = e
	return nil
}

// entry finds an entry; mu is held.
func (s *dhtStore) entry(folder, name string) (dhtEntry, bool) {
	f := s.folders[folder]
	if f == nil {
		return dhtEntry{}, false
	}
	e, ok := f.entries[name]
	return e, ok
}

// room makes room for a new entry, if it may stay; mu is held.
func (s *dhtStore) room(folder, name string, far distance) bool {
	if !ofProviders(folder) {
		if s.roomForRecord(folder, far) {
			return true
		}
		s.dropped("record")
		return false
	}
	if !s.roomForProvider(folder, name) {
		s.dropped("provider")
		return false
	}
	s.byPeer[name]++
	s.total++
	return true
}

// roomForRecord makes room for a record unless all others are nearer; mu is
// held.
func (s *dhtStore) roomForRecord(folder string, far distance) bool {
	f := s.folders[folder]
	if f == nil || len(f.entries) < maxPrekeyRecords {
		return true
	}
	worst := ""
	for name, e := range f.entries {
		if e.far.beyond(far) {
			worst, far = name, e.far
		}
	}
	if worst == "" {
		return false
	}
	s.remove(folder, worst)
	s.dropped("record")
	return true
}

// roomForProvider makes room for one provider; mu is held.
func (s *dhtStore) roomForProvider(folder, name string) bool {
	f := s.folders[folder]
	if s.byPeer[name] >= maxProvidedByOne || f != nil && len(f.entries) >= maxProviders {
		return false
	}
	if s.total < maxProviderPeers && (f != nil || len(s.folders) < maxProvided) {
		return true
	}
	worst, far := "", s.distance(path.Base(folder))
	for other, f := range s.folders {
		if ofProviders(other) && f.far.beyond(far) {
			worst, far = other, f.far
		}
	}
	if worst == "" {
		return false
	}
	for name := range s.folders[worst].entries {
		s.remove(worst, name)
	}
	s.dropped("provider")
	return true
}

// distance is how far a key of kad-dht's datastore is from us.
func (s *dhtStore) distance(name string) distance {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(name)
	if err != nil {
		key = []byte(name)
	}
	d := distance(sha256.Sum256(key))
	for i, own := range s.self {
		d[i] ^= own
	}
	return d
}

// remove forgets one entry; mu is held.
func (s *dhtStore) remove(folder, name string) {
	if _, there := s.entry(folder, name); !there {
		return
	}
	delete(s.folders[folder].entries, name)
	if len(s.folders[folder].entries) == 0 {
		delete(s.folders, folder)
	}
	if ofProviders(folder) {
		s.total--
		if s.byPeer[name]--; s.byPeer[name] == 0 {
			delete(s.byPeer, name)
		}
	}
}

// Delete implements ds.Datastore.
func (s *dhtStore) Delete(_ context.Context, k ds.Key) error {
	folder, name := cutKey(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(folder, name)
	return nil
}

// Get implements ds.Datastore.
func (s *dhtStore) Get(_ context.Context, k ds.Key) ([]byte, error) {
	folder, name := cutKey(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entry(folder, name); ok {
		return append([]byte(nil), e.value...), nil
	}
	return nil, ds.ErrNotFound
}

// Has implements ds.Datastore.
func (s *dhtStore) Has(ctx context.Context, k ds.Key) (bool, error) {
	return ds.GetBackedHas(ctx, s, k)
}

// GetSize implements ds.Datastore.
func (s *dhtStore) GetSize(ctx context.Context, k ds.Key) (int, error) {
	return ds.GetBackedSize(ctx, s, k)
}

// Query implements ds.Datastore.
func (s *dhtStore) Query(_ context.Context, q query.Query) (query.Results, error) {
	prefix := path.Clean("/" + q.Prefix)
	var found []query.Entry
	s.mu.Lock()
	if f, ok := s.folders[prefix]; ok { // the providers of one thing: asked for often
		found = f.list(nil, prefix, q.KeysOnly)
	} else {
		for folder, f := range s.folders {
			if strings.HasPrefix(folder, prefix+"/") {
				found = f.list(found, folder, q.KeysOnly)
			}
		}
	}
	s.mu.Unlock()
	q.Prefix = ""
	return query.NaiveQueryApply(q, query.ResultsWithEntries(q, found)), nil
}

func (f *dhtFolder) list(found []query.Entry, folder string, keysOnly bool) []query.Entry {
	for name, e := range f.entries {
		q := query.Entry{Key: folder + "/" + name, Size: len(e.value)}
		if !keysOnly {
			q.Value = append([]byte(nil), e.value...)
		}
		found = append(found, q)
	}
	return found
}

// Batch implements ds.Batching.
func (s *dhtStore) Batch(context.Context) (ds.Batch, error) { return ds.NewBasicBatch(s), nil }

// Sync implements ds.Datastore.
func (*dhtStore) Sync(context.Context, ds.Key) error { return nil }

// Close implements ds.Datastore.
func (*dhtStore) Close() error { return nil }

// noCache is no cache of providers: the store is in memory itself, and kad-dht's
// cache grows with everybody who says that they provide something.
type noCache struct{}

func (noCache) Add(any, any) bool              { return false }
func (noCache) Get(any) (any, bool)            { return nil, false }
func (noCache) Contains(any) bool              { return false }
func (noCache) Peek(any) (any, bool)           { return nil, false }
func (noCache) Remove(any) bool                { return false }
func (noCache) RemoveOldest() (any, any, bool) { return nil, nil, false }
func (noCache) GetOldest() (any, any, bool)    { return nil, nil, false }
func (noCache) Keys() []any                    { return nil }
func (noCache) Len() int                       { return 0 }
func (noCache) Purge()                         {}
func (noCache) Resize(int) int                 { return 0 }
