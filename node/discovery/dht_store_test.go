package discovery

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"testing"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
)

func storeKey(folder, raw string) ds.Key {
	return ds.NewKey(folder + "/" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(raw)))
}

func TestDHTStoreKeepsWhatIsNearest(t *testing.T) {
	t.Parallel()
	drops := map[string]int{}
	me := somebody(t).ID
	s := newDHTStore(me, func(kind string) { drops[kind]++ })
	put := func(raw string) {
		if err := s.Put(t.Context(), storeKey("/"+prekeySpace, raw), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	put(string(me)) // nothing is nearer: it hashes to our own place
	for i := range 3 * maxPrekeyRecords {
		put(fmt.Sprint("stranger", i))
	}
	if n := len(s.folders["/"+prekeySpace].entries); n != maxPrekeyRecords {
		t.Errorf("%d records are kept", n)
	}
	if ok, err := s.Has(t.Context(), storeKey("/"+prekeySpace, string(me))); !ok || err != nil {
		t.Errorf("the nearest record left: %v", err)
	}
	if drops["record"] != 2*maxPrekeyRecords+1 {
		t.Errorf("dropped %v", drops)
	}
	var kept, all int // those that are kept are nearer than most
	for i := range 3 * maxPrekeyRecords {
		h := sha256.Sum256([]byte(fmt.Sprint("stranger", i)))
		if h[0]^s.self[0] < 0x40 {
			all++
			if ok, _ := s.Has(t.Context(), storeKey("/"+prekeySpace, fmt.Sprint("stranger", i))); ok {
				kept++
			}
		}
	}
	if kept < all-1 {
		t.Errorf("%d of %d near ones are kept", kept, all)
	}
}

func TestDHTStoreBoundsProviders(t *testing.T) {
	t.Parallel()
	s := newDHTStore(somebody(t).ID, func(string) {})
	provide := func(thing, who string) {
		folder := providersFolder + "/" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(thing))
		if err := s.Put(t.Context(), storeKey(folder, who), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 * maxProvidedByOne {
		provide(fmt.Sprint("thing", i), "greedy")
	}
	if s.total != maxProvidedByOne {
		t.Errorf("one peer has %d records", s.total)
	}
	for i := range 2 * maxProviders {
		provide("popular", fmt.Sprint("peer", i))
	}
	res, err := s.Query(t.Context(), query.Query{Prefix: storeKey(providersFolder, "popular").String()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := res.Rest(); err != nil || len(got) != maxProviders {
		t.Errorf("%d providers of one thing, %v", len(got), err)
	}
	for i := range 3 * maxProviderPeers {
		provide(fmt.Sprint("thing", i), fmt.Sprint("crowd", i%100))
	}
	if len(s.folders) > maxProvided || s.total > maxProviderPeers {
		t.Errorf("%d things, %d records", len(s.folders), s.total)
	}
	all, err := s.Query(t.Context(), query.Query{Prefix: providersFolder + "/", KeysOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := all.Rest()
	if err != nil || len(entries) != s.total {
		t.Fatalf("%d entries of %d, %v", len(entries), s.total, err)
	}
	for _, e := range entries {
		if err := s.Delete(t.Context(), ds.RawKey(e.Key)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.folders) != 0 || len(s.byPeer) != 0 || s.total != 0 {
		t.Errorf("left: %d things, %d peers, %d records", len(s.folders), len(s.byPeer), s.total)
	}
}
