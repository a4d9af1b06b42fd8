package identity

import (
	"crypto/ecdh"
	"reflect"
)

// wipe overwrites the private bytes of an X25519 key. crypto/ecdh offers no way
// to do so; its copy of the scalar can be reached by reflection, and
// TestDestroyedKeysAreWiped notices should that change.
func wipe(key *ecdh.PrivateKey) {
	field := reflect.ValueOf(key).Elem().FieldByName("privateKey")
	if field.IsValid() && field.Type() == reflect.TypeFor[[]byte]() {
		clear(field.Bytes())
	}
}
