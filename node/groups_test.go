package node

import (
	"testing"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
)

var _ groups.Shredder = (*identity.Vault)(nil)

// What groups are given of a node's disk is held to the suite that its twin in
// memory is held to.
func TestGroupsDiskKeepsTheSuite(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() (kv.Store, error){
		"memory": func() (kv.Store, error) { return kv.Memory(), nil },
		"disk":   func() (kv.Store, error) { return kv.Open(t.TempDir(), kv.Options{}) },
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := open()
			if err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(store.Config{KV: rows, Shred: groupstest.Shredder{}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			dir := ""
			if name == "disk" {
				dir = t.TempDir()
			}
			groupstest.DiskSuite(t, groupRows{s}, identity.OpenRatchets(dir))
		})
	}
}
