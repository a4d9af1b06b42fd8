package node

import (
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// checkPetname refuses names that could be taken for something else, or that
// would not show as they are.
func checkPetname(name string) error {
	_, err := peer.Decode(name)
	switch {
	case name == "" || heartbeat.Clean(name) != name || strings.TrimSpace(name) != name:
		return ErrPetname
	case err == nil || identity.IsLink(name) || name[0] == '/' || name[0] == '-' || strings.HasSuffix(name, "?"):
		return ErrPetname
	}
	return nil
}
